// The NPU as the model sees it: a tiled GEMM engine, its buffers and its memory channel.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace fluidbatch::npu {

/// What the engine does with the rows of the last, incomplete row tile.
enum class EdgeRows {
  pad,   ///< a full tile of rows passes through
  trim,  ///< only the real rows do
};

/// How often the B_P blocks of a batch fetch a weight tile (docs/model.md).
enum class WeightReuse {
  none,         ///< once a block: P-batching is then running the samples one after another
  interleaved,  ///< once for all blocks, which need B_P partial output tiles at a time
};

/// What crosses the channel for the rows of an input tile.
enum class InputPath {
  im2col,       ///< P words for each row: an input word comes as often as windows overlap on it
  line_buffer,  ///< each word of the input once a pass: what windows share stays in line buffers
};

/// What stays on the chip while a layer runs (docs/model.md, "What stays on the chip").
enum class Residency {
  stream,   ///< tiles alone
  row,      ///< a row block of the input, while all column tiles pass
  column,   ///< a column of weights, while all row tiles pass
  weights,  ///< all weights of a group, and a row block of the input
};

/// How often weights cross past row blocks that stay (Residency::row) where P fits one tile, and there are
/// several column tiles.
enum class RowWeights {
  once,  ///< as where tiles alone are on the chip, though nothing keeps them from one row block to the next
  each_block,  ///< for each row block
};

/// When the inputs of the first row block that stays come (Residency::row and ::weights): those of the others
/// come while the block before is computed.
enum class FirstRowBlock {
  overlapped,  ///< spread over all of its columns, as if what is not there could be computed with
  awaited,     ///< with one column of weights by the end of the first column's pass, as in a machine
};

/// The word used for `residency` in YAML and CSV: stream, row, column, weights.
std::string_view name_of(Residency residency);

/// All residencies, in the order in which ties between them are decided.
std::span<const Residency> all_residencies();

enum class WeightSource {
  off_chip,
  on_chip,  ///< resident or generated: no weight words at all
};

enum class Channel {
  shared,    ///< input, weights and output share one memory channel
  separate,  ///< one channel in, one out
};

/// What the operations of an NPU take, each finite and not negative. An access of a buffer is one word read
/// or written (docs/model.md, "Energy").
struct OperationEnergies {
  double mac_pj = 0;  ///< a multiply-accumulate with its operand registers
  double input_buffer_pj_per_word = 0;
  double weight_buffer_pj_per_word = 0;
  double output_buffer_pj_per_word = 0;
  double dram_pj_per_word = 0;  ///< over the memory channel, either way
  double static_w = 0;          ///< all the time, busy or idle
};

/// One of the energies, as in an NPU's YAML.
struct OperationEnergyKey {
  const char* name = "";
  double OperationEnergies::*value = nullptr;
};

/// All of them, in the order of the fields.
std::span<const OperationEnergyKey> operation_energy_keys();

/// A stacked-PE GEMM engine <T_R, T_P, T_C>: T_C processing elements, each a T_P-wide dot product, over
/// tiles of T_R rows. All fields as in an NPU's YAML; `validate` says what is allowed.
struct Npu {
  std::string name;
  std::string description;
  std::string board;  ///< empty: not tied to a board
  std::int64_t t_r = 0;
  std::int64_t t_p = 0;
  std::int64_t t_c = 0;
  int k_max = 1;  ///< largest stacking factor; a power of two that divides t_r and t_c
  double clock_hz = 0;
  int word_bytes = 2;
  Channel channel = Channel::shared;
  double input_bandwidth_bytes_per_s = 0;   ///< the shared channel's where `channel` is shared
  double output_bandwidth_bytes_per_s = 0;  ///< equal to the input's where `channel` is shared
  EdgeRows edge_rows = EdgeRows::pad;
  WeightReuse weight_reuse = WeightReuse::interleaved;
  WeightSource weight_source = WeightSource::off_chip;
  std::int64_t weight_buffer_words = 0;  ///< of weight tiles; two of them when 0
  int output_tiles = 1;                  ///< tiles of T_R x T_C accumulators, besides the one that drains
  int accumulator_bytes = 4;
  std::int64_t fill_cycles = 0;            ///< D: fill of adder tree and accumulator, per output tile
  std::int64_t layer_overhead_cycles = 0;  ///< the start of every layer, movers included
  InputPath input_path = InputPath::im2col;
  std::optional<Residency> residency = Residency::stream;  ///< none: `auto`, chosen by layer and batch
  RowWeights row_weights = RowWeights::once;
  FirstRowBlock first_row_block = FirstRowBlock::overlapped;
  std::int64_t on_chip_bytes = 0;                          ///< of all buffers together; 0: unlimited
  std::optional<OperationEnergies> energy = std::nullopt;  ///< none: nothing is said of energy

  /// Clock cycles that the channel takes to move one word; 0 where it is infinitely fast.
  [[nodiscard]] double cycles_per_input_word() const {
    return word_bytes * clock_hz / input_bandwidth_bytes_per_s;
  }
  [[nodiscard]] double cycles_per_output_word() const {
    return word_bytes * clock_hz / output_bandwidth_bytes_per_s;
  }
  [[nodiscard]] std::int64_t macs_per_cycle() const { return t_p * t_c; }
  /// Bytes of the buffers for tiles: two of inputs, the weight buffer (two tiles at least), and output_tiles
  /// + 1 of outputs, one of which drains while the next is computed.
  [[nodiscard]] std::int64_t tile_buffer_bytes() const;
};

/// Throws std::invalid_argument, naming the field, where `npu` can't be built.
void validate(const Npu& npu);

/// A device's budget, from its data sheet.
struct Board {
  std::string name;
  std::string description;
  std::string source;  ///< where the numbers are from
  std::int64_t dsps = 0;
  std::int64_t on_chip_bytes = 0;
  double bandwidth_bytes_per_s = 0;
  double clock_hz = 0;  ///< at which designs on it usually run: a search's default
};

/// What an NPU takes of a board: one multiplier a MAC by default, double-buffered inputs and weights.
struct Resources {
  std::int64_t dsps = 0;
  std::int64_t on_chip_bytes = 0;
};
Resources resources_of(const Npu& npu, int dsps_per_mac = 1);

/// Throws std::invalid_argument, with both numbers, where `npu` needs more than `board` has.
void require_fits(const Npu& npu, const Board& board);

}  // namespace fluidbatch::npu
