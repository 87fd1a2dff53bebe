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
                        .objective = argument("--objective", arguments.objective),
                        .engine = io::Node::map(),
                        .option_prefix = "--"};
  for (const auto& [key, text] : arguments.engine) request.engine.put(key, io::parse_yaml(text, "--" + key));
  return request;
}

/// What the designs are ranked by, and what makes one of the Pareto set.
std::string explanation(const npu::SearchSettings& settings) {
  const std::string mean = "ranked by the mean over the batches of the ";
  const int least = settings.batches.front();
  if (settings.objective == npu::Objective::latency) {
    return fmt::format(
        "{}latency per sample\n* no engine has both a lower latency at B={} and a higher throughput at "
        "B={}\n",
        mean, least, settings.batches.back());
  }
  const bool energy = settings.objective == npu::Objective::energy;
  return fmt::format(
      "{}energy per sample{}\n* no engine has both a lower latency at B={} and less energy per sample\n",
      mean, energy ? "" : " times its latency", least);
}

void print_text(const npu::SearchResult& result, const npu::SearchSettings& settings,
                const workloads::Network& network, int top) {
  const bool energy = settings.base.energy.has_value();
  std::vector<std::string> header{"rank",
                                  "<T_R, T_P, T_C>",
                                  "DSPs",
                                  energy ? "kB" : "on-chip kB",
                                  "ms/sample",
                                  fmt::format("B={} ms", settings.batches.front()),
                                  fmt::format("B={} inf/s", settings.batches.back()),
                                  "Pareto"};
  if (energy) header.insert(header.end() - 1, "mJ/inf");
  TextTable table(header);
  for (const std::size_t i : shown_designs(result, top)) {
    const npu::Design& d = result.designs[i];
    std::vector<std::string> cells{
        std::to_string(i + 1),
        fmt::format("<{}, {}, {}>", d.npu.t_r, d.npu.t_p, d.npu.t_c),
        std::to_string(d.resources.dsps),
        std::to_string(npu::most_on_chip_bytes(network.layers, d.npu, settings) / 1024),
        rounded(d.score_s * 1000),
        rounded(d.unloaded_latency_s() * 1000),
        rounded(settings.batches.back() / d.latencies_s.back()),
        is_pareto(result, i) ? "*" : ""};
    if (energy) {
      const std::vector<double> energies_j = design_energies_j(d, settings, network);
      const npu::EnergyScores scores = npu::energy_scores(energies_j, d.latencies_s, settings.batches);
      cells.insert(cells.end() - 1, rounded(scores.energy_per_sample_j * 1000));
    }
    table.add(cells);
  }
  fmt::print("{} on {}, mode {}, batches {}\n{} engines fit, {} candidates evaluated\n\n{}", network.name,
             settings.board.name, npu::name_of(settings.mode), fmt::join(settings.batches, ", "),
             result.designs.size(), result.evaluations, table.text());
  fmt::print("\n{}", explanation(settings));
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
  if (arguments.csv || arguments.json) {
    return fmt::print("{}", table_text(arguments, design_columns(result, settings, network, arguments.top)));
  }
  print_text(result, settings, network, arguments.top);
}

}  // namespace fluidbatch::sim::cli
