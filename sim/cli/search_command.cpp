// `npu search`: the design space of a board.
#include <fmt/format.h>

#include "sim/cli/commands.h"
#include "sim/config/unusual_values.h"
#include "sim/models/npu_search.h"
#include "sim/output/output_file.h"
#include "sim/output/text_table.h"
#include "workloads/models/network_file.h"
#include "workloads/models/npu_file.h"

namespace fluidbatch::sim::cli {
namespace {

SearchRequest request_of(const NpuSearchArguments& arguments) {
  SearchRequest request{.board = workloads::load_board(argument("--board", arguments.board)),
                        .mode = argument("--mode", arguments.mode),
                        .batches = arguments.batches,
                        .t_r = arguments.t_r,
                        .t_p = arguments.t_p,
                        .t_c = arguments.t_c,
                        .k_max = arguments.k_max,
                        .dsps_per_mac = arguments.dsps_per_mac,
                        .accumulator_bytes = arguments.accumulator_bytes,
                        .engine = io::Node::map(),
                        .option_prefix = "--"};
  for (const auto& [key, text] : arguments.engine) request.engine.put(key, io::parse_yaml(text, "--" + key));
  return request;
}

void print_text(const npu::SearchResult& result, const npu::SearchSettings& settings,
                const workloads::Network& network, int top) {
  TextTable table({"rank", "<T_R, T_P, T_C>", "DSPs", "on-chip kB", "ms/sample",
                   fmt::format("B={} ms", settings.batches.front()),
                   fmt::format("B={} inf/s", settings.batches.back()), "Pareto"});
  for (const std::size_t i : shown_designs(result, top)) {
    const npu::Design& d = result.designs[i];
    table.add({std::to_string(i + 1), fmt::format("<{}, {}, {}>", d.npu.t_r, d.npu.t_p, d.npu.t_c),
               std::to_string(d.resources.dsps),
               std::to_string(npu::most_on_chip_bytes(network.layers, d.npu, settings) / 1024),
               rounded(d.score_s * 1000), rounded(d.unloaded_latency_s() * 1000),
               rounded(settings.batches.back() / d.latencies_s.back()), is_pareto(result, i) ? "*" : ""});
  }
  fmt::print("{} on {}, mode {}, batches {}\n{} engines fit, {} candidates evaluated\n\n{}", network.name,
             settings.board.name, npu::name_of(settings.mode), fmt::join(settings.batches, ", "),
             result.designs.size(), result.evaluations, table.text());
  fmt::print(
      "\nranked by the mean over the batches of the latency per sample\n"
      "* no engine has both a lower latency at B={} and a higher throughput at B={}\n",
      settings.batches.front(), settings.batches.back());
}

/// The best design as an NPU's YAML, headed by the command that found it.
void save(const npu::Npu& npu, const SearchRequest& request, const NpuSearchArguments& arguments) {
  const io::Node yaml = found_npu(npu, request, arguments.network, arguments.board);
  write_file(*arguments.save, "# found by: " + arguments.command + "\n" + io::to_yaml(yaml),
             Existing::refuse);
}

}  // namespace

void npu_search(const NpuSearchArguments& arguments) {
  const workloads::Network network = workloads::load_network(argument("--network", arguments.network));
  const SearchRequest request = request_of(arguments);
  const npu::SearchSettings settings = search_settings(request);
  print_warnings(unusual_values(settings.base));
  const npu::SearchResult result = find_designs(network, settings, {"npu search", 0, 0});
  if (arguments.save) save(result.designs.front().npu, request, arguments);
  if (arguments.csv) {
    return fmt::print("{}", design_columns(result, settings, network, arguments.top).csv());
  }
  print_text(result, settings, network, arguments.top);
}

}  // namespace fluidbatch::sim::cli
