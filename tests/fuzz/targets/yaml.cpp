// Any text as YAML. What is accepted is written and read back to the same tree.
#include "tests/fuzz/target.h"
#include "workloads/io/yaml_node.h"

namespace fluidbatch::fuzz {
namespace {

void read(const std::string& input) {
  const std::string written = io::to_yaml(io::parse_yaml(input, "input.yaml"));
  require(io::to_yaml(io::parse_yaml(written, "written.yaml")) == written,
          "written YAML reads back otherwise");
}

const TargetRegistration kRegistration({"yaml", read});

}  // namespace
}  // namespace fluidbatch::fuzz
