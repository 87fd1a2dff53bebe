#include "npu_model/cost.h"

#include <algorithm>
#include <limits>
#include <stdexcept>

namespace fluidbatch::npu {
namespace {

constexpr double kInfeasible = std::numeric_limits<double>::infinity();

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

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
/// is depthwise packing, where P and C are already those of the packed matrix.
struct PackedGemm {
  Gemm gemm;
  std::int64_t blocks = 1;
  bool has_weights = true;  ///< false where the right matrices are activations, which are never resident
};

/// g groups of a depthwise layer in each product.
PackedGemm packed(const Gemm& gemm, std::int64_t g) {
  return {.gemm = {.groups = ceil_div(gemm.groups, g), .r = gemm.r, .p = g * gemm.p, .c = g * gemm.c},
          .blocks = g};
}

class GemmCost {
 public:
  GemmCost(const PackedGemm& packed, const Npu& npu, const BatchPolicy& policy)
      : gemm_(packed.gemm),
        blocks_(packed.blocks),
        npu_(npu),
        weights_resident_(packed.has_weights && npu.weight_source == WeightSource::on_chip),
        b_p_(policy.b_p),
        batch_rows_(policy.b_r * gemm_.r),
        rows_(batch_rows_, npu.t_r / policy.k),
        channels_(gemm_.c, npu.t_c / policy.k),
        depth_(gemm_.p, policy.k * npu.t_p) {}

  [[nodiscard]] LayerCost cost() const {
    LayerCost cost;
    const std::int64_t tiles_over_c = gemm_.groups * channels_.count;
    const std::int64_t all_rows = (rows_.count - 1) * rows_.tile + charged_rows(rows_.last);
    cost.compute_cycles = tiles_over_c * (all_rows * b_p_ * depth_.count + npu_.fill_cycles * rows_.count);
    cost.input_words = tiles_over_c * batch_rows_ * b_p_ * gemm_.p;
    cost.weight_words = gemm_.groups * weight_fetches() * gemm_.p * gemm_.c / blocks_;
    if (weights_resident_) cost.weight_words = 0;
    cost.output_words = gemm_.groups * batch_rows_ * b_p_ * gemm_.c;
    cost.packed_groups = blocks_;
    cost.feasible = is_feasible();
    cost.latency_cycles = latency_cycles();
    return cost;
  }

  /// B_P blocks share a weight tile where there is room for their partial outputs (interleaved), or for the
  /// whole weight column (column). One block, or no sharing, needs no room beyond the tiles.
  [[nodiscard]] bool is_feasible() const {
    if (b_p_ == 1) return true;
    switch (npu_.weight_reuse) {
      case WeightReuse::none:
        return true;
      case WeightReuse::interleaved:
        return b_p_ * std::min(rows_.tile, batch_rows_) * std::min(channels_.tile, gemm_.c) <=
               npu_.output_tiles * npu_.t_r * npu_.t_c;
      case WeightReuse::column:
        return depth_.count * depth_.tile * channels_.tile <= npu_.weight_room_words();
    }
    return false;
  }

  /// Sum of the initiation intervals of all output tiles, by the classes {full, edge} x {full, edge}, and the
  /// first load and last store, which nothing overlaps.
  [[nodiscard]] double latency_cycles() const {
    const auto full_r = static_cast<double>(rows_.count - 1);
    const auto full_c = static_cast<double>(channels_.count - 1);
    double intervals = initiation_interval(rows_.last, channels_.last);
    if (full_c > 0) intervals += full_c * initiation_interval(rows_.last, channels_.tile);
    if (full_r > 0) intervals += full_r * initiation_interval(rows_.tile, channels_.last);
    if (full_r > 0 && full_c > 0)
      intervals += full_r * full_c * initiation_interval(rows_.tile, channels_.tile);
    return static_cast<double>(gemm_.groups) * intervals + first_load_cycles() + last_store_cycles();
  }

 private:
  [[nodiscard]] std::int64_t charged_rows(std::int64_t rows) const {
    return npu_.edge_rows == EdgeRows::pad ? rows_.tile : rows;
  }

  /// Times that each weight crosses the channel. With one tile along P the tile stays from one row tile
  /// to the next; with more it comes again for each row tile, and for each block where nothing reuses it.
  [[nodiscard]] std::int64_t weight_fetches() const {
    if (depth_.count == 1) return 1;
    return npu_.weight_reuse == WeightReuse::none ? rows_.count * b_p_ : rows_.count;
  }

  /// Weight words per output tile of `channels` real channels; the fetches spread over the row tiles.
  [[nodiscard]] double weight_words(std::int64_t channels) const {
    if (weights_resident_) return 0;
    return static_cast<double>(gemm_.p * channels * weight_fetches()) /
           static_cast<double>(rows_.count * blocks_);
  }

  /// Initiation interval of an output tile with `rows` real rows and `channels` real channels.
  [[nodiscard]] double initiation_interval(std::int64_t rows, std::int64_t channels) const {
    const std::int64_t compute = charged_rows(rows) * depth_.count * b_p_ + npu_.fill_cycles;
    const double in = static_cast<double>(rows * gemm_.p * b_p_) + weight_words(channels);
    const auto out = static_cast<double>(rows * channels * b_p_);
    return std::max(static_cast<double>(compute), transfer_cycles(npu_, in, out));
  }

  [[nodiscard]] double first_load_cycles() const {
    const std::int64_t depth = std::min(depth_.tile, gemm_.p);
    const std::int64_t rows = std::min(rows_.tile, batch_rows_);
    const std::int64_t channels = std::min(channels_.tile, gemm_.c);
    auto words = static_cast<double>(rows * depth);
    if (!weights_resident_) {
      words += static_cast<double>(depth * channels) / static_cast<double>(blocks_);
    }
    return words * npu_.cycles_per_input_word();
  }

  [[nodiscard]] double last_store_cycles() const {
    return static_cast<double>(rows_.last * channels_.last * b_p_) * npu_.cycles_per_output_word();
  }

  Gemm gemm_;
  std::int64_t blocks_;
  const Npu& npu_;
  bool weights_resident_;
  std::int64_t b_p_;
  std::int64_t batch_rows_;  // rows of one block of B_R samples
  Tiles rows_;
  Tiles channels_;
  Tiles depth_;
};

/// Calls `visit` with every way to pack the layer: one group a product, or powers of two for depthwise ones.
template <typename Visit>
void for_each_packing(const Layer& layer, const Npu& npu, const Visit& visit) {
  if (layer.kind != LayerKind::depthwise) return visit(PackedGemm{layer.gemm, 1});
  const std::int64_t most = std::min(layer.gemm.groups, npu.t_c);
  for (std::int64_t g = 1; g <= most; g *= 2) visit(packed(layer.gemm, g));
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
  PackedGemm products{.gemm = layer.gemm, .has_weights = false};
  products.gemm.groups *= batch;
  return GemmCost(products, npu, {.b_r = 1, .b_p = 1, .k = policy.k}).cost();
}

LayerCost mover_cost(const Layer& layer, const Npu& npu, int batch) {
  LayerCost cost;
  cost.input_words = batch * layer.mover_input_words;
  cost.output_words = batch * layer.mover_output_words;
  cost.latency_cycles =
      transfer_cycles(npu, static_cast<double>(cost.input_words), static_cast<double>(cost.output_words));
  return cost;
}

}  // namespace

BatchPolicy blocks_of(int batch, int b_p, int k) {
  return {.b_r = static_cast<int>(ceil_div(batch, b_p)), .b_p = b_p, .k = k};
}

bool covers(const BatchPolicy& policy, int batch) {
  return policy.b_p >= 1 && policy.b_p <= batch && policy.k >= 1 &&
         policy == blocks_of(batch, policy.b_p, policy.k) && (policy.b_p - 1) * policy.b_r < batch;
}

LayerCost layer_cost(const Layer& layer, const Npu& npu, int batch, const BatchPolicy& policy) {
  if (!covers(policy, batch) || policy.k > npu.k_max) {
    throw std::invalid_argument("batch policy <" + std::to_string(policy.b_r) + ", " +
                                std::to_string(policy.b_p) + ", " + std::to_string(policy.k) +
                                "> does not lay out a batch of " + std::to_string(batch));
  }
  LayerCost cost = is_mover(layer.kind)              ? mover_cost(layer, npu, batch)
                   : layer.kind == LayerKind::matmul ? product_cost(layer, npu, batch, policy)
                                                     : gemm_cost(layer, npu, policy);
  cost.useful_macs = batch * layer.useful_macs();
  cost.memory_cycles = transfer_cycles(npu, static_cast<double>(cost.input_words + cost.weight_words),
                                       static_cast<double>(cost.output_words));
  cost.roofline_cycles = std::max(static_cast<double>(cost.compute_cycles), cost.memory_cycles);
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
  if (layer.kind == LayerKind::matmul) return product_cost(layer, npu, batch, policy).latency_cycles;
  double best = kInfeasible;
  for_each_packing(layer, npu, [&](const PackedGemm& packed) {
    const GemmCost cost(packed, npu, policy);
    if (cost.is_feasible()) best = std::min(best, cost.latency_cycles());
  });
  return best;
}

}  // namespace fluidbatch::npu
