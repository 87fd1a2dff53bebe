// The importer of ONNX models, a program that `fluidbatch network import` runs:
//
//     network-import MODEL OUT HEIGHT WIDTH [LAYER..]
//
// HEIGHT and WIDTH are empty where the model says the input's size; LAYERs get an early exit each.
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <new>
#include <span>
#include <string>
#include <sys/resource.h>

#include <fmt/format.h>

#include "sim/cli/exit_codes.h"
#include "sim/output/output_file.h"
#include "sim/output/text_table.h"
#include "workloads/io/input_error.h"
#include "workloads/models/network_file.h"
#include "workloads/models/onnx/onnx_import.h"

namespace {

using namespace fluidbatch;
using sim::millions;

/// What a model may take, so that one that is meant to do harm does none: a minute of processor time, and
/// memory for the file's content and a graph of 250,000 nodes besides.
constexpr rlim_t kMostCpuSeconds = 60;
constexpr rlim_t kMostBytes = rlim_t{1} << 30;

#ifdef __SANITIZE_ADDRESS__  // which takes terabytes of addresses
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

void limit(int resource, rlim_t most) {
  const rlimit limits{most, most};
  ::setrlimit(resource, &limits);  // where even this is refused, narrower limits are in force already
}

void limit_resources(const std::string& model) {
  std::error_code ignored;
  const std::uintmax_t bytes = std::filesystem::file_size(model, ignored);
  if (!kSanitized)
    limit(RLIMIT_AS, kMostBytes + (ignored ? 0 : 3 * std::min<std::uintmax_t>(bytes, rlim_t{1} << 31)));
  limit(RLIMIT_CPU, kMostCpuSeconds);
  limit(RLIMIT_CORE, 0);
}

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
  limit_resources(model);
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
    const std::span arguments = std::span(argv, static_cast<std::size_t>(argc)).subspan(1);
    try {
      import_model(arguments);
    } catch (const std::bad_alloc&) {
      throw io::InputError(std::string(arguments[0]) + ": not imported: it takes more than 1 GiB of memory");
    }
    return sim::cli::kDone;
  });
}
