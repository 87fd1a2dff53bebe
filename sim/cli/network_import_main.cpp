// The importer of ONNX models, a program that `fluidbatch network import` becomes:
//
//     network-import MODEL OUT HEIGHT WIDTH [LAYER..]
//
// HEIGHT and WIDTH are empty where the model says the input's size; LAYERs get an early exit each.
#include <filesystem>
#include <span>
#include <string>

#include <fmt/format.h>

#include "sim/cli/exit_codes.h"
#include "sim/output/output_file.h"
#include "sim/output/text_table.h"
#include "workloads/io/input_error.h"
#include "workloads/network.h"
#include "workloads/onnx/onnx_import.h"

namespace {

using namespace fluidbatch;
using sim::millions;

void import_model(const std::span<char*> arguments) {
  if (arguments.size() < 4) throw io::InputError("network-import is run by 'fluidbatch network import'");
  const std::string model = arguments[0];
  const std::string out = arguments[1];
  const std::string height = arguments[2];
  workloads::OnnxImportOptions options;
  options.name = std::filesystem::path(out).stem().string();
  if (!height.empty()) options.height_width = {std::stoll(height), std::stoll(arguments[3])};
  options.exits_after.assign(arguments.begin() + 4, arguments.end());

  if (std::filesystem::exists(out)) throw io::InputError(out + ": already exists");
  const std::string yaml = io::to_yaml(workloads::import_onnx(model, options));
  const workloads::Network network = workloads::read_network(io::parse_yaml(yaml, out), options.name);
  sim::write_file(out, yaml, sim::Existing::refuse);
  fmt::print("{}: {} layers ({} more fused), {} MMAC, {} M weights, {} exit{}\n", out, network.layers.size(),
             network.fused.size(), millions(network.macs()), millions(network.weights()),
             network.exit_count(), network.exit_count() == 1 ? "" : "s");
}

}  // namespace

int main(int argc, char** argv) {
  return sim::cli::exit_code_of([&] {
    import_model(std::span(argv, static_cast<std::size_t>(argc)).subspan(1));
    return sim::cli::kDone;
  });
}
