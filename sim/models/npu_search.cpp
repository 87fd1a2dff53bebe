#include "sim/models/npu_search.h"

#include <algorithm>
#include <array>
#include <stdexcept>

#include <fmt/format.h>

#include "workloads/models/npu_file.h"

namespace fluidbatch::sim {
namespace {

constexpr std::array kEngineKeys{"clock_hz",
                                 "bandwidth_bytes_per_s",
                                 "word_bytes",
                                 "edge_rows",
                                 "weight_reuse",
                                 "weight_source",
                                 "weight_buffer_words",
                                 "output_tiles",
                                 "fill_cycles",
                                 "layer_overhead_cycles",
                                 "input_path",
                                 "residency",
                                 "row_weights",
                                 "on_chip_bytes",
                                 "energy"};

/// An NPU's YAML with tiles that fit anything, the board's clock and bandwidth, and what the user gave.
io::Node engine_yaml(const SearchRequest& request) {
  io::Node yaml = io::Node::map();
  const auto put = [&](const std::string& key, io::Node value) {
    value.mark = {request.option_prefix + key, 0, 0};
    yaml.put(key, value);
    yaml.entries.back().key_mark = value.mark;
  };
  for (const char* tile : {"t_r", "t_p", "t_c"}) put(tile, io::Node::integer(request.k_max));
  put("k_max", io::Node::integer(request.k_max));
  if (request.engine.find("clock_hz") == nullptr) put("clock_hz", io::Node::number(request.board.clock_hz));
  if (request.engine.find("bandwidth_bytes_per_s") == nullptr) {
    put("bandwidth_bytes_per_s", io::Node::number(request.board.bandwidth_bytes_per_s));
  }
  put("accumulator_bytes", io::Node::integer(request.accumulator_bytes));
  for (const io::Node::Entry& entry : request.engine.entries) put(entry.key, entry.value);
  return yaml;
}

/// A design to show, and its place by score.
struct Shown {
  std::size_t index;
  const npu::Design* design;
  std::int64_t on_chip_bytes;
};

}  // namespace

std::span<const char* const> search_engine_keys() { return kEngineKeys; }

npu::SearchSettings search_settings(const SearchRequest& request) {
  npu::SearchSettings settings;
  settings.board = request.board;
  settings.base = workloads::read_npu(engine_yaml(request));
  settings.mode = workloads::read_mode(request.mode);
  settings.batches = request.batches;
  std::sort(settings.batches.begin(), settings.batches.end());
  settings.t_r = request.t_r;
  settings.t_p = request.t_p;
  settings.t_c = request.t_c;
  settings.dsps_per_mac = request.dsps_per_mac;
  const auto too_much = [&](const char* key) {
    throw io::InputError({request.option_prefix + key, 0, 0},
                         "above that of board '" + settings.board.name + "'");
  };
  if (settings.base.on_chip_bytes == 0) settings.base.on_chip_bytes = settings.board.on_chip_bytes;
  if (settings.base.on_chip_bytes > settings.board.on_chip_bytes) too_much("on_chip_bytes");
  if (settings.base.input_bandwidth_bytes_per_s > settings.board.bandwidth_bytes_per_s) {
    too_much("bandwidth_bytes_per_s");
  }
  return settings;
}

npu::SearchResult find_designs(const workloads::Network& network, const npu::SearchSettings& settings,
                               const io::Mark& place, const npu::Poll& poll) {
  try {
    return npu::search_designs(network.layers, settings, poll);
  } catch (const std::invalid_argument& error) {
    throw io::InputError(place, error.what());
  }
}

std::vector<std::size_t> shown_designs(const npu::SearchResult& result, int top) {
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

io::ColumnTable design_columns(const npu::SearchResult& result, const npu::SearchSettings& settings,
                               const workloads::Network& network, int top, const npu::Poll& poll) {
  std::vector<Shown> rows;
  for (const std::size_t i : shown_designs(result, top)) {
    if (poll) poll();
    const npu::Design& design = result.designs[i];
    rows.push_back({i, &design, npu::most_on_chip_bytes(network.layers, design.npu, settings)});
  }
  const int largest = settings.batches.back();
  io::ColumnTable table;
  table.add("rank", rows, [](const Shown& row) { return row.index + 1; });
  table.add("t_r", rows, [](const Shown& row) { return row.design->npu.t_r; });
  table.add("t_p", rows, [](const Shown& row) { return row.design->npu.t_p; });
  table.add("t_c", rows, [](const Shown& row) { return row.design->npu.t_c; });
  table.add("dsps", rows, [](const Shown& row) { return row.design->resources.dsps; });
  table.add("on_chip_bytes", rows, [](const Shown& row) { return row.on_chip_bytes; });
  table.add("pareto", rows, [&](const Shown& row) { return is_pareto(result, row.index); });
  table.add("latency_per_sample_s", rows, [](const Shown& row) { return row.design->score_s; });
  table.add("throughput_hz", rows,
            [&](const Shown& row) { return largest / row.design->latencies_s.back(); });
  for (std::size_t b = 0; b < settings.batches.size(); ++b) {
    table.add(fmt::format("latency_b{}_s", settings.batches[b]), rows,
              [&](const Shown& row) { return row.design->latencies_s[b]; });
  }
  return table;
}

io::Node found_npu(const npu::Npu& npu, const SearchRequest& request, const std::string& network,
                   const std::string& board) {
  io::Node yaml = io::Node::map();
  yaml.put("description", io::Node::text(fmt::format("the best for {} on {} in mode {}", network, board,
                                                     request.mode.scalar)));
  yaml.put("board", io::Node::text(board));
  yaml.put("t_r", io::Node::integer(npu.t_r));
  yaml.put("t_p", io::Node::integer(npu.t_p));
  yaml.put("t_c", io::Node::integer(npu.t_c));
  yaml.put("k_max", io::Node::integer(npu.k_max));
  yaml.put("clock_hz", io::Node::number(npu.clock_hz));
  yaml.put("bandwidth_bytes_per_s", io::Node::number(npu.input_bandwidth_bytes_per_s));
  if (npu.accumulator_bytes != npu::Npu().accumulator_bytes) {
    yaml.put("accumulator_bytes", io::Node::integer(npu.accumulator_bytes));
  }
  for (const io::Node::Entry& entry : request.engine.entries) {
    if (yaml.find(entry.key) == nullptr) yaml.put(entry.key, entry.value);
  }
  return yaml;
}

}  // namespace fluidbatch::sim
