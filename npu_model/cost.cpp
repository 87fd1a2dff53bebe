#include "npu_model/cost.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "npu_model/ceil_div.h"

namespace fluidbatch::npu {
namespace {

constexpr double kInfeasible = std::numeric_limits<double>::infinity();

/// Cycles to bring `in` words and take `out` words away: one after the other over a shared channel, at the
/// same time over separate ones.
double transfer_cycles(const Npu& npu, double in, double out) {
  const double in_cycles = in * npu.cycles_per_input_word();
  const double out_cycles = out * npu.cycles_per_output_word();
  return npu.channel == Channel::shared ? in_cycles + out_cycles : std::max(in_cycles, out_cycles);
}

/// Full tiles of one dimension and the extent of its last one (equal to the tile where it divides evenly).
struct Tiles {
  std::int64_t tile;
  std::int64_t count;
  std::int64_t last;

  Tiles(std::int64_t extent, std::int64_t tile_extent)
      : tile(tile_extent), count(ceil_div(extent, tile_extent)), last(extent - (count - 1) * tile_extent) {}
};

/// A GEMM whose weight matrix is block-diagonal with `blocks` non-zero blocks: 1 is an ordinary one, more
/// is depthwise packing, where P, C and the words of the input are already those of the packed matrix.
struct PackedGemm {
  Gemm gemm;
  std::int64_t unique_words = 0;  // U: of the input of a group and sample
  std::int64_t line_words = 0;
  std::int64_t blocks = 1;
  bool has_weights = true;  // false where the right matrices are activations, which are never resident
};

PackedGemm unpacked(const Layer& layer) {
  return {.gemm = layer.gemm,
          .unique_words = layer.unique_input_words(),
          .line_words = layer.line_words,
          .has_weights = layer.kind != LayerKind::matmul};
}

/// g groups of a depthwise layer in each product.
PackedGemm packed(const Layer& layer, std::int64_t g) {
  const Gemm& gemm = layer.gemm;
  return {.gemm = {.groups = ceil_div(gemm.groups, g), .r = gemm.r, .p = g * gemm.p, .c = g * gemm.c},
          .unique_words = g * layer.unique_input_words(),
          .line_words = g * layer.line_words,
          .blocks = g};
}

class GemmCost {
 public:
  GemmCost(const PackedGemm& packed, const Npu& npu, const BatchPolicy& policy)
      : gemm_(packed.gemm),
        unique_words_(packed.unique_words),
        line_words_(packed.line_words),
        blocks_(packed.blocks),
        npu_(npu),
        residency_(policy.residency),
        no_weight_words_(packed.has_weights && npu.weight_source == WeightSource::on_chip),
        b_p_(policy.b_p),
        batch_rows_(policy.b_r * gemm_.r),
        rows_(batch_rows_, npu.t_r / policy.k),
        channels_(gemm_.c, npu.t_c / policy.k),
        depth_(gemm_.p, policy.k * npu.t_p) {}

  [[nodiscard]] LayerCost cost() const {
    LayerCost cost;
    const std::int64_t samples = batch_rows_ / gemm_.r * b_p_;
    cost.compute_cycles = gemm_.groups * channels_.count * compute_cycles_of_column();
    cost.unique_input_words = gemm_.groups * samples * unique_words_;
    cost.input_words = npu_.input_path == InputPath::line_buffer ? cost.unique_input_words
                                                                 : gemm_.groups * samples * gemm_.r * gemm_.p;
    if (!keeps_row_block()) cost.input_words *= channels_.count;
    cost.weight_words = gemm_.groups * weight_fetches() * gemm_.p * gemm_.c / blocks_;
    if (no_weight_words_) cost.weight_words = 0;
    cost.output_words = gemm_.groups * samples * gemm_.r * gemm_.c;
    cost.packed_groups = blocks_;
    cost.on_chip_bytes = static_cast<std::int64_t>(std::ceil(on_chip_bytes()));
    cost.feasible = is_feasible();
    cost.latency_cycles = latency_cycles();
    return cost;
  }

  /// What the policy needs on the chip is there.
  [[nodiscard]] bool is_feasible() const {
    if (!holds_partial_outputs()) return false;
    // The tiles alone always fit (`validate`).
    const bool tiles_alone = residency_ == Residency::stream && npu_.input_path == InputPath::im2col;
    return tiles_alone || npu_.on_chip_bytes == 0 ||
           on_chip_bytes() <= static_cast<double>(npu_.on_chip_bytes);
  }

  [[nodiscard]] double latency_cycles() const {
    double intervals = 0;
    switch (residency_) {
      case Residency::stream:
        intervals = stream_cycles();
        break;
      case Residency::row:
        intervals = row_block_cycles(weight_words(gemm_.c), weight_words(gemm_.c));
        break;
      case Residency::column:
        intervals = column_cycles();
        break;
      case Residency::weights:
        intervals = row_block_cycles(weight_words(gemm_.c), 0);
        break;
    }
    return static_cast<double>(gemm_.groups) * intervals + first_load_cycles() + last_store_cycles() +
           static_cast<double>(npu_.layer_overhead_cycles);
  }

 private:
  /// Sum of the initiation intervals of all output tiles, by the classes {full, edge} x {full, edge}.
  [[nodiscard]] double stream_cycles() const {
    const auto full_r = static_cast<double>(rows_.count - 1);
    const auto full_c = static_cast<double>(channels_.count - 1);
    double intervals = initiation_interval(rows_.last, channels_.last);
    if (full_c > 0) intervals += full_c * initiation_interval(rows_.last, channels_.tile);
    if (full_r > 0) intervals += full_r * initiation_interval(rows_.tile, channels_.last);
    if (full_r > 0 && full_c > 0)
      intervals += full_r * full_c * initiation_interval(rows_.tile, channels_.tile);
    return intervals;
  }

  /// Sum over the row blocks, through each of which all column tiles pass, of the larger of compute and
  /// words; `first_weights` cross with the first block, `other_weights` with each of the others.
  [[nodiscard]] double row_block_cycles(double first_weights, double other_weights) const {
    const auto block = [&](std::int64_t rows, double weights, double lag_cycles) {
      const std::int64_t compute =
          channels_.count * (charged_rows(rows) * depth_.count * b_p_ + npu_.fill_cycles);
      const auto out = static_cast<double>(rows * gemm_.c * b_p_);
      return std::max(static_cast<double>(compute) + lag_cycles,
                      transfer_cycles(npu_, input_words(rows) + weights, out));
    };
    const std::int64_t first_rows = rows_.count == 1 ? rows_.last : rows_.tile;
    const double first = block(first_rows, first_weights, first_lag_cycles(first_rows, first_weights));
    if (rows_.count == 1) return first;
    double cycles = first + block(rows_.last, other_weights, 0);
    if (rows_.count > 2) cycles += static_cast<double>(rows_.count - 2) * block(rows_.tile, other_weights, 0);
    return cycles;
  }

  /// How long the first row block's compute waits for its inputs, beyond the first load: by the end of its
  /// first column they are there, with that column's weights, and one tile is left to be computed.
  [[nodiscard]] double first_lag_cycles(std::int64_t rows, double weights) const {
    if (npu_.first_row_block == FirstRowBlock::overlapped) return 0;
    const auto columns =
        static_cast<double>(std::min(channels_.tile, gemm_.c)) / static_cast<double>(gemm_.c);
    const auto one_tile = static_cast<double>(charged_rows(rows));
    const auto one_column = static_cast<double>(charged_rows(rows) * depth_.count * b_p_);
    const double words = input_words(rows) + weights * columns;
    return std::max(0.0, transfer_cycles(npu_, words, 0) + one_tile - first_load_cycles() - one_column);
  }

  /// Sum over the columns, past each of which all row tiles go, of the larger of compute and words.
  [[nodiscard]] double column_cycles() const {
    const auto compute = static_cast<double>(compute_cycles_of_column());
    const double inputs = input_words(batch_rows_);
    const auto column = [&](std::int64_t channels) {
      const auto out = static_cast<double>(batch_rows_ * channels * b_p_);
      return std::max(compute, transfer_cycles(npu_, inputs + weight_words(channels), out));
    };
    double cycles = column(channels_.last);
    if (channels_.count > 1) cycles += static_cast<double>(channels_.count - 1) * column(channels_.tile);
    return cycles;
  }

  [[nodiscard]] bool keeps_row_block() const {
    return residency_ == Residency::row || residency_ == Residency::weights;
  }

  /// B_P blocks share a weight tile where there is room for their partial outputs. One block, or no sharing,
  /// needs no room beyond the tiles.
  [[nodiscard]] bool holds_partial_outputs() const {
    if (b_p_ == 1 || npu_.weight_reuse == WeightReuse::none) return true;
    return b_p_ * std::min(rows_.tile, batch_rows_) * std::min(channels_.tile, gemm_.c) <=
           npu_.output_tiles * npu_.t_r * npu_.t_c;
  }

  /// Tiles, what stays of input and weights, and line buffers.
  [[nodiscard]] double on_chip_bytes() const {
    double words = 0;
    if (keeps_row_block()) words += 2 * input_words(std::min(rows_.tile, batch_rows_));
    if (residency_ == Residency::column) words += static_cast<double>(2 * gemm_.p * channels_.tile);
    if (residency_ == Residency::weights) words += static_cast<double>(gemm_.p * gemm_.c);
    if (npu_.input_path == InputPath::line_buffer) words += static_cast<double>(line_words_);
    return static_cast<double>(npu_.tile_buffer_bytes()) + words * npu_.word_bytes;
  }

  /// All row tiles past one column tile.
  [[nodiscard]] std::int64_t compute_cycles_of_column() const {
    const std::int64_t all_rows = (rows_.count - 1) * rows_.tile + charged_rows(rows_.last);
    return all_rows * b_p_ * depth_.count + npu_.fill_cycles * rows_.count;
  }

  [[nodiscard]] std::int64_t charged_rows(std::int64_t rows) const {
    return npu_.edge_rows == EdgeRows::pad ? rows_.tile : rows;
  }

  /// B_P X words for each of `rows` rows: what a pass over them brings in. X is P with im2col, and U / R with
  /// line buffers, whose words spread evenly over the rows.
  [[nodiscard]] double input_words(std::int64_t rows) const {
    if (npu_.input_path == InputPath::im2col) return static_cast<double>(rows * gemm_.p * b_p_);
    return static_cast<double>(rows * b_p_) * static_cast<double>(unique_words_) /
           static_cast<double>(gemm_.r);
  }

  /// Times that each weight crosses the channel. With one tile along P the tile stays from one row tile
  /// to the next; with more it comes again for each row tile, and for each block where nothing reuses it.
  [[nodiscard]] std::int64_t weight_fetches() const {
    if (residency_ == Residency::column || residency_ == Residency::weights) return 1;
    if (depth_.count == 1) {
      const bool again = residency_ == Residency::row && npu_.row_weights == RowWeights::each_block;
      return again && channels_.count > 1 ? rows_.count : 1;
    }
    return npu_.weight_reuse == WeightReuse::none ? rows_.count * b_p_ : rows_.count;
  }

  /// Weight words of `channels` real channels that cross for one output tile or row block, over which the
  /// fetches spread; all of them where a column or all weights stay.
  [[nodiscard]] double weight_words(std::int64_t channels) const {
    if (no_weight_words_) return 0;
    const bool once = residency_ == Residency::column || residency_ == Residency::weights;
    return static_cast<double>(gemm_.p * channels * weight_fetches()) /
           static_cast<double>((once ? 1 : rows_.count) * blocks_);
  }

  /// Initiation interval of an output tile with `rows` real rows and `channels` real channels.
  [[nodiscard]] double initiation_interval(std::int64_t rows, std::int64_t channels) const {
    const std::int64_t compute = charged_rows(rows) * depth_.count * b_p_ + npu_.fill_cycles;
    const double in = input_words(rows) + weight_words(channels);
    const auto out = static_cast<double>(rows * channels * b_p_);
    return std::max(static_cast<double>(compute), transfer_cycles(npu_, in, out));
  }

  [[nodiscard]] double first_load_cycles() const {
    const std::int64_t depth = std::min(depth_.tile, gemm_.p);
    const std::int64_t rows = std::min(rows_.tile, batch_rows_);
    const std::int64_t channels = std::min(channels_.tile, gemm_.c);
    auto words = static_cast<double>(rows * depth);
    if (!no_weight_words_) {
      words += static_cast<double>(depth * channels) / static_cast<double>(blocks_);
    }
    return words * npu_.cycles_per_input_word();
  }

  [[nodiscard]] double last_store_cycles() const {
    return static_cast<double>(rows_.last * channels_.last * b_p_) * npu_.cycles_per_output_word();
  }

  Gemm gemm_;
  std::int64_t unique_words_;
  std::int64_t line_words_;
  std::int64_t blocks_;
  const Npu& npu_;
  Residency residency_;
  bool no_weight_words_;
  std::int64_t b_p_;
  std::int64_t batch_rows_;  // rows of one block of B_R samples
  Tiles rows_;
  Tiles channels_;
  Tiles depth_;
};

/// Calls `visit` with every way to pack the layer: one group a product, or powers of two for depthwise ones.
template <typename Visit>
void for_each_packing(const Layer& layer, const Npu& npu, const Visit& visit) {
  if (layer.kind != LayerKind::depthwise) return visit(unpacked(layer));
  const std::int64_t most = std::min(layer.gemm.groups, npu.t_c);
  for (std::int64_t g = 1; g <= most; g *= 2) visit(packed(layer, g));
}

LayerCost gemm_cost(const Layer& layer, const Npu& npu, const BatchPolicy& policy) {
  LayerCost best;
  best.feasible = false;
  best.latency_cycles = kInfeasible;
  for_each_packing(layer, npu, [&](const PackedGemm& packed) {
    const LayerCost cost = GemmCost(packed, npu, policy).cost();
    const bool better =
        cost.feasible == best.feasible ? cost.latency_cycles < best.latency_cycles : cost.feasible;
    if (better) best = cost;
  });
  return best;
}

/// Samples share weights, but not the right matrices of a product of activations: a batch of those is so many
/// more groups of one sample's rows, however the policy lays it out.
LayerCost product_cost(const Layer& layer, const Npu& npu, int batch, const BatchPolicy& policy) {
  PackedGemm products = unpacked(layer);
  products.gemm.groups *= batch;
  return GemmCost(products, npu, {.b_r = 1, .b_p = 1, .k = policy.k, .residency = policy.residency}).cost();
}

LayerCost mover_cost(const Layer& layer, const Npu& npu, int batch) {
  LayerCost cost;
  cost.input_words = batch * layer.mover_input_words;
  cost.unique_input_words = cost.input_words;
  cost.output_words = batch * layer.mover_output_words;
  cost.latency_cycles =
      transfer_cycles(npu, static_cast<double>(cost.input_words), static_cast<double>(cost.output_words)) +
      static_cast<double>(npu.layer_overhead_cycles);
  return cost;
}

Bound bound_of(const LayerCost& cost, const Npu& npu) {
  if (static_cast<double>(cost.compute_cycles) >= cost.memory_cycles) return Bound::compute;
  const double input = static_cast<double>(cost.input_words) * npu.cycles_per_input_word();
  const double weights = static_cast<double>(cost.weight_words) * npu.cycles_per_input_word();
  const double output = static_cast<double>(cost.output_words) * npu.cycles_per_output_word();
  // On separate channels both kinds of incoming words take turns.
  const double incoming = npu.channel == Channel::shared ? std::max(input, weights) : input + weights;
  if (output > incoming) return Bound::output;
  return input >= weights ? Bound::input : Bound::weights;
}

}  // namespace

std::string_view name_of(Bound bound) {
  switch (bound) {
    case Bound::compute:
      return "compute";
    case Bound::input:
      return "input";
    case Bound::weights:
      return "weights";
    case Bound::output:
      return "output";
  }
  return "?";
}

BatchPolicy blocks_of(int batch, int b_p, int k, Residency residency) {
  return {.b_r = static_cast<int>(ceil_div(batch, b_p)), .b_p = b_p, .k = k, .residency = residency};
}

bool covers(const BatchPolicy& policy, int batch) {
  const bool goes_with_blocks =
      policy.residency == Residency::stream || policy.residency == Residency::row || policy.b_p == 1;
  return policy.b_p >= 1 && policy.b_p <= batch && policy.k >= 1 && goes_with_blocks &&
         policy == blocks_of(batch, policy.b_p, policy.k, policy.residency) &&
         (policy.b_p - 1) * policy.b_r < batch;
}

LayerCost layer_cost(const Layer& layer, const Npu& npu, int batch, const BatchPolicy& policy) {
  if (!covers(policy, batch) || policy.k > npu.k_max) {
    throw std::invalid_argument("batch policy <" + std::to_string(policy.b_r) + ", " +
                                std::to_string(policy.b_p) + ", " + std::to_string(policy.k) + ", " +
                                std::string(name_of(policy.residency)) + "> does not lay out a batch of " +
                                std::to_string(batch));
  }
  LayerCost cost = is_mover(layer.kind)              ? mover_cost(layer, npu, batch)
                   : layer.kind == LayerKind::matmul ? product_cost(layer, npu, batch, policy)
                                                     : gemm_cost(layer, npu, policy);
  cost.useful_macs = batch * layer.useful_macs();
  cost.memory_cycles = transfer_cycles(npu, static_cast<double>(cost.input_words + cost.weight_words),
                                       static_cast<double>(cost.output_words));
  cost.roofline_cycles = std::max(static_cast<double>(cost.compute_cycles), cost.memory_cycles);
  cost.bound = bound_of(cost, npu);
  cost.latency_s = cost.latency_cycles / npu.clock_hz;
  cost.roofline_s = cost.roofline_cycles / npu.clock_hz;
  if (cost.useful_macs > 0) {
    cost.mac_utilisation = static_cast<double>(cost.useful_macs) /
                           (cost.latency_cycles * static_cast<double>(npu.macs_per_cycle()));
  }
  return cost;
}

double feasible_latency_cycles(const Layer& layer, const Npu& npu, int batch, const BatchPolicy& policy) {
  if (is_mover(layer.kind)) return mover_cost(layer, npu, batch).latency_cycles;
  if (layer.kind == LayerKind::matmul) {
    const LayerCost cost = product_cost(layer, npu, batch, policy);
    if (!cost.feasible) return kInfeasible;
    return cost.latency_cycles;
  }
  double best = kInfeasible;
  for_each_packing(layer, npu, [&](const PackedGemm& packed) {
    const GemmCost cost(packed, npu, policy);
    if (cost.is_feasible()) best = std::min(best, cost.latency_cycles());
  });
  return best;
}

}  // namespace fluidbatch::npu
