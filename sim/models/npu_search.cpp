#include "sim/models/npu_search.h"

#include <algorithm>
#include <array>
#include <stdexcept>

#include <fmt/format.h>

#include "workloads/io/map_reader.h"
#include "workloads/io/names.h"
#include "workloads/models/npu_file.h"

namespace fluidbatch::sim {
namespace {

constexpr std::array kEngineKeys{
    "clock_hz",     "bandwidth_bytes_per_s", "word_bytes",          "edge_rows",
    "weight_reuse", "weight_source",         "weight_buffer_words", "output_tiles",
    "fill_cycles",  "layer_overhead_cycles", "input_path",          "residency",
    "row_weights",  "first_row_block",       "on_chip_bytes",       "energy"};

io::Node energy_yaml(const npu::OperationEnergies& energies) {
  io::Node yaml = io::Node::map();
  for (const npu::OperationEnergyKey& key : npu::operation_energy_keys())
    yaml.put(key.name, io::Node::number(energies.*key.value));
  return yaml;
}

/// The map that is given, or that of the NPU whose name or path is.
io::Node energy_of(io::Node given, const std::string& key) {
  if (given.kind != io::Node::Kind::scalar) return given;
  given.mark = {key, 0, 0};
  const npu::Npu npu = workloads::load_npu(given);
  if (!npu.energy) throw io::InputError(given.mark, "NPU '" + npu.name + "' has no 'energy' in its file");
  return energy_yaml(*npu.energy);
}

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
  for (const io::Node::Entry& entry : request.engine.entries) {
    const bool energy = entry.key == "energy";
    put(entry.key, energy ? energy_of(entry.value, request.option_prefix + entry.key) : entry.value);
  }
  return yaml;
}

/// A design to show, and its place by score.
struct Shown {
  std::size_t index;
  const npu::Design* design;
  std::int64_t on_chip_bytes;
  std::vector<double> energies_j;  ///< by batch; empty where the base has no energies
};

void add_energies(io::ColumnTable& table, const std::vector<Shown>& rows, const std::vector<int>& batches) {
  const auto scores = [&](const Shown& row) {
    return npu::energy_scores(row.energies_j, row.design->latencies_s, batches);
  };
  table.add("energy_per_sample_j", rows, [&](const Shown& row) { return scores(row).energy_per_sample_j; });
  table.add("edp_js", rows, [&](const Shown& row) { return scores(row).edp_js; });
  for (std::size_t b = 0; b < batches.size(); ++b) {
    table.add(fmt::format("energy_b{}_j", batches[b]), rows,
              [&](const Shown& row) { return row.energies_j[b]; });
  }
}

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
  settings.objective = io::read_name(request.objective, "objective", io::names_of(npu::all_objectives()));
  if (settings.objective != npu::Objective::latency && !settings.base.energy) {
    const std::string name(npu::name_of(settings.objective));
    throw io::InputError(request.objective.mark,
                         name + " needs to know what operations take: give " + request.option_prefix +
                             "energy, the name or path of an NPU that says it, or a map of its own "
                             "(docs/configuration.md, \"NPUs and boards\")");
  }
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

std::vector<double> design_energies_j(const npu::Design& design, const npu::SearchSettings& settings,
                                      const workloads::Network& network) {
  if (!design.energies_j.empty()) return design.energies_j;
  return npu::network_energies_j(network.layers, design.npu, settings);
}

io::ColumnTable design_columns(const npu::SearchResult& result, const npu::SearchSettings& settings,
                               const workloads::Network& network, int top, const npu::Poll& poll) {
  std::vector<Shown> rows;
  for (const std::size_t i : shown_designs(result, top)) {
    if (poll) poll();
    const npu::Design& design = result.designs[i];
    rows.push_back({i, &design, npu::most_on_chip_bytes(network.layers, design.npu, settings), {}});
    if (settings.base.energy) rows.back().energies_j = design_energies_j(design, settings, network);
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
  if (settings.base.energy) add_energies(table, rows, settings.batches);
  return table;
}

io::Node found_npu(const npu::Npu& npu, const SearchRequest& request, const std::string& network,
                   const std::string& board) {
  io::Node yaml = io::Node::map();
  const std::string& objective = request.objective.scalar;
  const std::string by = objective == npu::name_of(npu::Objective::latency) ? "" : ", by " + objective;
  yaml.put("description", io::Node::text(fmt::format("the best for {} on {} in mode {}{}", network, board,
                                                     request.mode.scalar, by)));
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
    if (yaml.find(entry.key) == nullptr && entry.key != "energy") yaml.put(entry.key, entry.value);
  }
  if (npu.energy) yaml.put("energy", energy_yaml(*npu.energy));
  return yaml;
}

}  // namespace fluidbatch::sim
