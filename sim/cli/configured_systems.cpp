#include "sim/cli/configured_systems.h"

#include "sim/config/overrides.h"

namespace fluidbatch::sim::cli {

io::Node document_of(const RunArguments& arguments) {
  io::Node document = io::load_yaml(arguments.config);
  for (const std::string& assignment : arguments.overrides) apply_override(document, assignment);
  return document;
}

io::Mark option(const char* name) { return {.source = name, .line = 0, .column = 0}; }

}  // namespace fluidbatch::sim::cli
