// `npu search`: the design space of a board.
#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include "npu_model/design_search.h"
#include "sim/cli/commands.h"
#include "sim/config/unusual_values.h"
#include "sim/output/output_file.h"
#include "sim/output/text_table.h"
#include "workloads/io/text_number.h"
#include "workloads/models/network_file.h"
#include "workloads/models/npu_file.h"

namespace fluidbatch::sim::cli {
namespace {

/// An NPU's YAML with tiles that fit anything, the board's clock and bandwidth, and what the user gave.
io::Node engine_yaml(const NpuSearchArguments& arguments, const npu::Board& board) {
  io::Node yaml = io::Node::map();
  const auto put = [&](const std::string& key, io::Node value) {
    value.mark = {"--" + key, 0, 0};
    yaml.put(key, value);
    yaml.entries.back().key_mark = value.mark;
  };
  for (const char* tile : {"t_r", "t_p", "t_c"}) put(tile, io::Node::integer(arguments.k_max));
  put("k_max", io::Node::integer(arguments.k_max));
  if (!arguments.engine.contains("clock_hz")) put("clock_hz", io::Node::number(board.clock_hz));
  if (!arguments.engine.contains("bandwidth_bytes_per_s")) {
    put("bandwidth_bytes_per_s", io::Node::number(board.bandwidth_bytes_per_s));
  }
  put("accumulator_bytes", io::Node::integer(arguments.accumulator_bytes));
  for (const auto& [key, text] : arguments.engine) put(key, io::parse_yaml(text, "--" + key));
  return yaml;
}

npu::SearchSettings settings_of(const NpuSearchArguments& arguments) {
  npu::SearchSettings settings;
  settings.board = workloads::load_board(argument("--board", arguments.board));
  settings.base = workloads::read_npu(engine_yaml(arguments, settings.board));
  settings.mode = workloads::read_mode(argument("--mode", arguments.mode));
  settings.batches = arguments.batches;
  std::sort(settings.batches.begin(), settings.batches.end());
  settings.t_r = arguments.t_r;
  settings.t_p = arguments.t_p;
  settings.t_c = arguments.t_c;
  settings.dsps_per_mac = arguments.dsps_per_mac;
  if (settings.base.on_chip_bytes == 0) settings.base.on_chip_bytes = settings.board.on_chip_bytes;
  if (settings.base.on_chip_bytes > settings.board.on_chip_bytes) {
    throw io::InputError("--on_chip_bytes: above that of board '" + settings.board.name + "'");
  }
  if (settings.base.input_bandwidth_bytes_per_s > settings.board.bandwidth_bytes_per_s) {
    throw io::InputError("--bandwidth_bytes_per_s: above that of board '" + settings.board.name + "'");
  }
  return settings;
}

/// The designs to show: the best by score, and all of the Pareto set.
std::vector<std::size_t> shown(const npu::SearchResult& result, int top) {
  std::vector<std::size_t> indices = result.pareto;
  for (std::size_t i = 0; i < std::min(result.designs.size(), static_cast<std::size_t>(top)); ++i) {
    indices.push_back(i);
  }
  std::sort(indices.begin(), indices.end());
  indices.erase(std::unique(indices.begin(), indices.end()), indices.end());
  return indices;
}

bool is_pareto(const npu::SearchResult& result, std::size_t index) {
  return std::find(result.pareto.begin(), result.pareto.end(), index) != result.pareto.end();
}

void print_csv(const npu::SearchResult& result, const npu::SearchSettings& settings,
               const workloads::Network& network, int top) {
  fmt::print("rank,t_r,t_p,t_c,dsps,on_chip_bytes,pareto,latency_per_sample_s,throughput_hz");
  for (const int batch : settings.batches) fmt::print(",latency_b{}_s", batch);
  fmt::print("\n");
  for (const std::size_t i : shown(result, top)) {
    const npu::Design& d = result.designs[i];
    fmt::print("{},{},{},{},{},{},{},{},{}", i + 1, d.npu.t_r, d.npu.t_p, d.npu.t_c, d.resources.dsps,
               npu::most_on_chip_bytes(network.layers, d.npu, settings), is_pareto(result, i) ? 1 : 0,
               io::shortest(d.score_s), io::shortest(settings.batches.back() / d.latencies_s.back()));
    for (const double latency_s : d.latencies_s) fmt::print(",{}", io::shortest(latency_s));
    fmt::print("\n");
  }
}

void print_text(const npu::SearchResult& result, const npu::SearchSettings& settings,
                const workloads::Network& network, int top) {
  TextTable table({"rank", "<T_R, T_P, T_C>", "DSPs", "on-chip kB", "ms/sample",
                   fmt::format("B={} ms", settings.batches.front()),
                   fmt::format("B={} inf/s", settings.batches.back()), "Pareto"});
  for (const std::size_t i : shown(result, top)) {
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
void save(const npu::Npu& npu, const NpuSearchArguments& arguments) {
  io::Node yaml = io::Node::map();
  yaml.put("description", io::Node::text(fmt::format("the best for {} on {} in mode {}", arguments.network,
                                                     arguments.board, arguments.mode)));
  yaml.put("board", io::Node::text(arguments.board));
  yaml.put("t_r", io::Node::integer(npu.t_r));
  yaml.put("t_p", io::Node::integer(npu.t_p));
  yaml.put("t_c", io::Node::integer(npu.t_c));
  yaml.put("k_max", io::Node::integer(npu.k_max));
  yaml.put("clock_hz", io::Node::number(npu.clock_hz));
  yaml.put("bandwidth_bytes_per_s", io::Node::number(npu.input_bandwidth_bytes_per_s));
  if (npu.accumulator_bytes != npu::Npu().accumulator_bytes) {
    yaml.put("accumulator_bytes", io::Node::integer(npu.accumulator_bytes));
  }
  for (const auto& [key, text] : arguments.engine) {
    if (yaml.find(key) == nullptr) yaml.put(key, io::parse_yaml(text, key));
  }
  write_file(*arguments.save, "# found by: " + arguments.command + "\n" + io::to_yaml(yaml),
             Existing::refuse);
}

}  // namespace

void npu_search(const NpuSearchArguments& arguments) {
  const workloads::Network network = workloads::load_network(argument("--network", arguments.network));
  const npu::SearchSettings settings = settings_of(arguments);
  print_warnings(unusual_values(settings.base));
  npu::SearchResult result;
  try {
    result = npu::search_designs(network.layers, settings);
  } catch (const std::invalid_argument& error) {
    throw io::InputError(std::string("npu search: ") + error.what());
  }
  if (arguments.save) save(result.designs.front().npu, arguments);
  if (arguments.csv) return print_csv(result, settings, network, arguments.top);
  print_text(result, settings, network, arguments.top);
}

}  // namespace fluidbatch::sim::cli
