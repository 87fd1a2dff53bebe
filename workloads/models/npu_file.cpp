#include "workloads/models/npu_file.h"

#include <array>
#include <stdexcept>
#include <vector>

#include "workloads/io/map_reader.h"
#include "workloads/io/names.h"
#include "workloads/io/shipped_files.h"

namespace fluidbatch::workloads {
namespace {

constexpr std::int64_t kMostTile = 1 << 20;
constexpr std::int64_t kMostWords = std::int64_t{1} << 40;
constexpr std::int64_t kMostOutputTiles = 1024;
constexpr std::int64_t kMostOverheadCycles = std::int64_t{1} << 40;
constexpr double kMostEnergy = 1e12;  // a joule an operation: beyond anything, and its sums stay finite

using io::Name;

constexpr std::array kChannels{Name{npu::Channel::shared, "shared"},
                               Name{npu::Channel::separate, "separate"}};
constexpr std::array kWeightReuses{Name{npu::WeightReuse::none, "none"},
                                   Name{npu::WeightReuse::interleaved, "interleaved"}};
constexpr std::array kEdgeRows{Name{npu::EdgeRows::pad, "pad"}, Name{npu::EdgeRows::trim, "trim"}};
constexpr std::array kWeightSources{Name{npu::WeightSource::off_chip, "off_chip"},
                                    Name{npu::WeightSource::on_chip, "on_chip"}};
constexpr std::array kInputPaths{Name{npu::InputPath::im2col, "im2col"},
                                 Name{npu::InputPath::line_buffer, "line_buffer"}};
constexpr std::array kRowWeights{Name{npu::RowWeights::once, "once"},
                                 Name{npu::RowWeights::each_block, "each_block"}};

constexpr std::array kFirstRowBlocks{Name{npu::FirstRowBlock::overlapped, "overlapped"},
                                     Name{npu::FirstRowBlock::awaited, "awaited"}};

void read_bandwidth(io::MapReader& reader, npu::Npu& npu) {
  const io::Range range = io::Range::positive_or_infinite();
  npu.channel = io::read_name(reader, "channel", kChannels, npu::Channel::shared);
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
  return io::read_name(reader, "weight_reuse", kWeightReuses, npu::WeightReuse::interleaved);
}

std::optional<npu::Residency> read_residency(io::MapReader& reader) {
  std::vector<Name<std::optional<npu::Residency>>> names;
  for (const npu::Residency residency : npu::all_residencies()) {
    names.push_back({residency, npu::name_of(residency)});
  }
  names.push_back({std::nullopt, "auto"});
  return io::read_name(reader, "residency", names, npu::Residency::stream);
}

/// The model's messages begin with the name of the field, which is the key here: that is their place.
[[noreturn]] void rethrow_at_key(const io::MapReader& reader, const std::invalid_argument& error) {
  const std::string message = error.what();
  throw io::InputError(reader.mark_of(message.substr(0, message.find(' '))), message);
}

io::MapReader npu_reader(const io::Node& document) {
  return io::MapReader(document, "an NPU",
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
                        "first_row_block",
                        "on_chip_bytes",
                        "energy"});
}

/// All keys are needed: what an operation takes has no default.
std::optional<npu::OperationEnergies> read_energy(io::MapReader& owner) {
  if (!owner.has("energy")) return std::nullopt;
  std::vector<std::string> names;
  for (const npu::OperationEnergyKey& key : npu::operation_energy_keys()) names.emplace_back(key.name);
  io::MapReader reader(owner.required("energy"), "energy", names);
  npu::OperationEnergies energies;
  for (const npu::OperationEnergyKey& key : npu::operation_energy_keys())
    energies.*key.value = reader.number(key.name, {.min = 0, .max = kMostEnergy});
  owner.resolve("energy", reader.resolved());
  return energies;
}

npu::Npu npu_of(io::MapReader& reader) {
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
  npu.edge_rows = io::read_name(reader, "edge_rows", kEdgeRows, npu::EdgeRows::pad);
  npu.weight_reuse = read_weight_reuse(reader);
  npu.weight_source = io::read_name(reader, "weight_source", kWeightSources, npu::WeightSource::off_chip);
  npu.weight_buffer_words = reader.integer("weight_buffer_words", 0, kMostWords, 0);
  npu.output_tiles = static_cast<int>(reader.integer("output_tiles", 1, kMostOutputTiles, 1));
  npu.accumulator_bytes = static_cast<int>(reader.integer("accumulator_bytes", 1, 16, 4));
  npu.fill_cycles = reader.integer("fill_cycles", 0, kMostTile, 0);
  npu.layer_overhead_cycles = reader.integer("layer_overhead_cycles", 0, kMostOverheadCycles, 0);
  npu.input_path = io::read_name(reader, "input_path", kInputPaths, npu::InputPath::im2col);
  npu.residency = read_residency(reader);
  npu.row_weights = io::read_name(reader, "row_weights", kRowWeights, npu::RowWeights::once);
  npu.first_row_block =
      io::read_name(reader, "first_row_block", kFirstRowBlocks, npu::FirstRowBlock::overlapped);
  npu.on_chip_bytes = reader.has("on_chip_bytes") ? reader.integer("on_chip_bytes", 1, kMostWords) : 0;
  npu.energy = read_energy(reader);
  try {
    npu::validate(npu);
  } catch (const std::invalid_argument& error) {
    rethrow_at_key(reader, error);
  }
  return npu;
}

}  // namespace

npu::Npu read_npu(const io::Node& document) {
  io::MapReader reader = npu_reader(document);
  return npu_of(reader);
}

io::Node npu_with_defaults(const io::Node& document) {
  io::MapReader reader = npu_reader(document);
  npu_of(reader);
  return reader.resolved();
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
                               int max_batch, const npu::Poll& poll) {
  try {
    return {layers, npu, mode, max_batch, poll};
  } catch (const std::invalid_argument& error) {
    throw io::InputError("NPU '" + npu.name + "': " + error.what());
  }
}

npu::Board load_board(const io::Node& name_or_path) {
  const std::filesystem::path file = io::find_file("boards", name_or_path);
  return read_board(io::load_yaml(file), file.stem().string());
}

npu::Board read_board(const io::Node& document, const std::string& name) {
  io::MapReader reader(
      document, "a board",
      {"description", "source", "dsps", "on_chip_bytes", "bandwidth_bytes_per_s", "clock_hz"});
  return {.name = name,
          .description = reader.text("description", ""),
          .source = reader.text("source", ""),
          .dsps = reader.integer("dsps", 1, kMostWords),
          .on_chip_bytes = reader.integer("on_chip_bytes", 1, kMostWords),
          .bandwidth_bytes_per_s = reader.number("bandwidth_bytes_per_s", io::Range::positive()),
          .clock_hz = reader.number("clock_hz", io::Range::positive())};
}

npu::Mode read_mode(const io::Node& node) {
  return io::read_name(node, "npu_mode", io::names_of(npu::all_modes()));
}

}  // namespace fluidbatch::workloads
