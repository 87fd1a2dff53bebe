// `--set` on a configuration: each line of the input is one.
#include <sstream>

#include "sim/config/overrides.h"
#include "tests/fuzz/target.h"
#include "workloads/io/yaml_node.h"

namespace fluidbatch::fuzz {
namespace {

void read(const std::string& input) {
  io::Node document = io::load_yaml(workspace() / "run.yaml");
  std::istringstream lines(input);
  for (std::string line; std::getline(lines, line);) sim::apply_override(document, line);
  io::to_yaml(document);
}

const TargetRegistration kRegistration({"override", read});

}  // namespace
}  // namespace fluidbatch::fuzz
