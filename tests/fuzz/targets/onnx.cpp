// An ONNX model. What the importer makes of it, the reader of networks takes.
#include "tests/fuzz/target.h"
#include "workloads/models/network_file.h"
#include "workloads/models/onnx/onnx_import.h"

namespace fluidbatch::fuzz {
namespace {

void read(const std::string& input) {
  workloads::OnnxImportOptions options;
  options.name = "input";
  const io::Node network = workloads::import_onnx(file_of("input.onnx", input), options);
  const std::string yaml = io::to_yaml(network);
  require(workloads::read_network(io::parse_yaml(yaml, "imported.yaml"), "input").macs() >= 0,
          "a count has overflown");
}

const TargetRegistration kRegistration({"onnx", read});

}  // namespace
}  // namespace fluidbatch::fuzz
