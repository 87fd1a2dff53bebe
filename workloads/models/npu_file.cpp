#include "workloads/models/npu_file.h"

#include <stdexcept>

#include "workloads/io/map_reader.h"
#include "workloads/io/shipped_files.h"

namespace fluidbatch::workloads {
namespace {

constexpr std::int64_t kMostTile = 1 << 20;
constexpr std::int64_t kMostWords = std::int64_t{1} << 40;
constexpr std::int64_t kMostOutputTiles = 1024;
constexpr std::int64_t kMostOverheadCycles = std::int64_t{1} << 40;

void read_bandwidth(io::MapReader& reader, npu::Npu& npu) {
  const io::Range range = io::Range::positive_or_infinite();
  npu.channel = static_cast<npu::Channel>(reader.choice("channel", {"shared", "separate"}, 0));
  const bool shared = npu.channel == npu::Channel::shared;
  const char* stray = shared ? "input_bandwidth_bytes_per_s" : "bandwidth_bytes_per_s";
  for (const char* key : {stray, "output_bandwidth_bytes_per_s"}) {
    if (reader.has(key) && (shared || key == stray)) {
      throw io::InputError(reader.mark_of(key),
                           std::string("'") + key + "' does not go with channel: " +
                               (shared ? "shared, which takes 'bandwidth_bytes_per_s'"
                                       : "separate, which takes 'input_bandwidth_bytes_per_s' and "
                                         "'output_bandwidth_bytes_per_s'"));
    }
  }
  if (shared) {
    npu.input_bandwidth_bytes_per_s = reader.number("bandwidth_bytes_per_s", range);
    npu.output_bandwidth_bytes_per_s = npu.input_bandwidth_bytes_per_s;
  } else {
    npu.input_bandwidth_bytes_per_s = reader.number("input_bandwidth_bytes_per_s", range);
    npu.output_bandwidth_bytes_per_s = reader.number("output_bandwidth_bytes_per_s", range);
  }
}

npu::WeightReuse read_weight_reuse(io::MapReader& reader) {
  const io::Node* given = reader.child("weight_reuse");
  if (given != nullptr && given->scalar == "column") {
    throw io::InputError(given->mark,
                         "weight_reuse: column is now residency: column, where a column of weights stays "
                         "on the chip and crosses the channel once");
  }
  return static_cast<npu::WeightReuse>(reader.choice("weight_reuse", {"none", "interleaved"}, 1));
}

std::optional<npu::Residency> read_residency(io::MapReader& reader) {
  const std::size_t choice = reader.choice("residency", {"stream", "row", "column", "weights", "auto"}, 0);
  if (choice == 4) return std::nullopt;
  return static_cast<npu::Residency>(choice);
}

/// The model's messages begin with the name of the field, which is the key here: that is their place.
[[noreturn]] void rethrow_at_key(const io::MapReader& reader, const std::invalid_argument& error) {
  const std::string message = error.what();
  throw io::InputError(reader.mark_of(message.substr(0, message.find(' '))), message);
}

}  // namespace

npu::Npu read_npu(const io::Node& document) {
  io::MapReader reader(document, "an NPU",
                       {"description",
                        "board",
                        "t_r",
                        "t_p",
                        "t_c",
                        "k_max",
                        "clock_hz",
                        "word_bytes",
                        "channel",
                        "bandwidth_bytes_per_s",
                        "input_bandwidth_bytes_per_s",
                        "output_bandwidth_bytes_per_s",
                        "edge_rows",
                        "weight_reuse",
                        "weight_source",
                        "weight_buffer_words",
                        "output_tiles",
                        "accumulator_bytes",
                        "fill_cycles",
                        "layer_overhead_cycles",
                        "input_path",
                        "residency",
                        "row_weights",
                        "on_chip_bytes"});
  npu::Npu npu;
  npu.description = reader.text("description", "");
  npu.board = reader.text("board", "");
  npu.t_r = reader.integer("t_r", 1, kMostTile);
  npu.t_p = reader.integer("t_p", 1, kMostTile);
  npu.t_c = reader.integer("t_c", 1, kMostTile);
  npu.k_max = static_cast<int>(reader.integer("k_max", 1, kMostTile, 1));
  npu.clock_hz = reader.number("clock_hz", io::Range::positive());
  npu.word_bytes = static_cast<int>(reader.integer("word_bytes", 1, 16, 2));
  read_bandwidth(reader, npu);
  npu.edge_rows = static_cast<npu::EdgeRows>(reader.choice("edge_rows", {"pad", "trim"}, 0));
  npu.weight_reuse = read_weight_reuse(reader);
  npu.weight_source =
      static_cast<npu::WeightSource>(reader.choice("weight_source", {"off_chip", "on_chip"}, 0));
  npu.weight_buffer_words = reader.integer("weight_buffer_words", 0, kMostWords, 0);
  npu.output_tiles = static_cast<int>(reader.integer("output_tiles", 1, kMostOutputTiles, 1));
  npu.accumulator_bytes = static_cast<int>(reader.integer("accumulator_bytes", 1, 16, 4));
  npu.fill_cycles = reader.integer("fill_cycles", 0, kMostTile, 0);
  npu.layer_overhead_cycles = reader.integer("layer_overhead_cycles", 0, kMostOverheadCycles, 0);
  npu.input_path = static_cast<npu::InputPath>(reader.choice("input_path", {"im2col", "line_buffer"}, 0));
  npu.residency = read_residency(reader);
  npu.row_weights = static_cast<npu::RowWeights>(reader.choice("row_weights", {"once", "each_block"}, 0));
  npu.on_chip_bytes = reader.has("on_chip_bytes") ? reader.integer("on_chip_bytes", 1, kMostWords) : 0;
  try {
    npu::validate(npu);
  } catch (const std::invalid_argument& error) {
    rethrow_at_key(reader, error);
  }
  return npu;
}

npu::Npu load_npu(const io::Node& name_or_path) {
  const std::filesystem::path file = io::find_file("npus", name_or_path);
  return read_npu_on_board(io::load_yaml(file), file.stem().string());
}

npu::Npu read_npu_on_board(const io::Node& document, const std::string& name) {
  npu::Npu npu = read_npu(document);
  npu.name = name;
  if (!npu.board.empty()) {
    const io::Node& board = *document.find("board");
    try {
      const npu::Board found = load_board(board);
      npu::require_fits(npu, found);
      if (npu.on_chip_bytes == 0) npu.on_chip_bytes = found.on_chip_bytes;
    } catch (const std::invalid_argument& error) {
      throw io::InputError(board.mark, error.what());
    }
  }
  if (!npu.residency && npu.on_chip_bytes == 0) {
    throw io::InputError(
        document.find("residency")->mark,
        "residency: auto needs to know how much the chip holds: give 'on_chip_bytes' or 'board'");
  }
  return npu;
}

npu::BatchPolicyTable table_of(const std::vector<npu::Layer>& layers, const npu::Npu& npu, npu::Mode mode,
                               int max_batch) {
  try {
    return {layers, npu, mode, max_batch};
  } catch (const std::invalid_argument& error) {
    throw io::InputError("NPU '" + npu.name + "': " + error.what());
  }
}

npu::Board load_board(const io::Node& name_or_path) {
  const std::filesystem::path file = io::find_file("boards", name_or_path);
  const io::Node document = io::load_yaml(file);
  io::MapReader reader(
      document, "a board",
      {"description", "source", "dsps", "on_chip_bytes", "bandwidth_bytes_per_s", "clock_hz"});
  return {.name = file.stem().string(),
          .description = reader.text("description", ""),
          .source = reader.text("source", ""),
          .dsps = reader.integer("dsps", 1, kMostWords),
          .on_chip_bytes = reader.integer("on_chip_bytes", 1, kMostWords),
          .bandwidth_bytes_per_s = reader.number("bandwidth_bytes_per_s", io::Range::positive()),
          .clock_hz = reader.number("clock_hz", io::Range::positive())};
}

npu::Mode read_mode(const io::Node& node) {
  std::vector<std::string> names;
  for (const npu::Mode mode : npu::all_modes()) names.emplace_back(npu::name_of(mode));
  const std::string found = io::read_text(node, "npu_mode");
  for (const npu::Mode mode : npu::all_modes()) {
    if (found == npu::name_of(mode)) return mode;
  }
  throw io::InputError(node.mark, "unknown npu_mode '" + found + "'" + io::did_you_mean(found, names) +
                                      "; allowed: " + io::quoted_list(names));
}

}  // namespace fluidbatch::workloads
