#include "sim/cli/configured_systems.h"

#include <algorithm>
#include <vector>

#include "sim/config/overrides.h"
#include "sim/config/run_config.h"
#include "workloads/io/input_error.h"

namespace fluidbatch::sim::cli {

std::size_t keep_system(RunConfig& config, const std::string& label) {
  std::vector<std::string> labels;
  for (const System& system : config.systems) labels.push_back(system.label);
  const auto found = std::find(labels.begin(), labels.end(), label);
  if (found == labels.end()) throw io::InputError("--system: " + io::unknown_word("system", label, labels));
  const auto index = static_cast<std::size_t>(found - labels.begin());
  config.systems = {config.systems[index]};
  return index;
}

io::Node document_of(const RunArguments& arguments) {
  io::Node document = io::load_yaml(arguments.config);
  for (const std::string& assignment : arguments.overrides) apply_override(document, assignment);
  return document;
}

}  // namespace fluidbatch::sim::cli
