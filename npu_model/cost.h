// Cycles, words and latency of one layer for one batch: the closed form of docs/model.md.
#pragma once

#include <cstdint>
#include <string_view>

#include "npu_model/layer.h"
#include "npu_model/npu.h"

namespace fluidbatch::npu {

/// How a batch is laid over the engine: B_P blocks side by side along P, each of B_R samples below one
/// another along R, on PEs stacked by k; and what of the layer stays on the chip meanwhile.
struct BatchPolicy {
  int b_r = 1;
  int b_p = 1;
  int k = 1;
  Residency residency = Residency::stream;

  bool operator==(const BatchPolicy&) const = default;
};

/// The policy that runs `batch` samples as `b_p` blocks: B_R = ceil(batch / b_p).
BatchPolicy blocks_of(int batch, int b_p, int k, Residency residency = Residency::stream);

/// True where `policy` lays out exactly `batch` samples: no empty block, B_R as small as can be, and more
/// than one block only where the residency goes with that (stream and row).
bool covers(const BatchPolicy& policy, int batch);

/// What a layer's latency is made of most: the engine, or the words of one kind over the channel.
enum class Bound { compute, input, weights, output };

/// The word used for `bound` in CSV: compute, input, weights, output.
std::string_view name_of(Bound bound);

/// What a layer takes for a batch under a batch policy: cycles, words, and the latency that they make.
struct LayerCost {
  std::int64_t compute_cycles = 0;  ///< as if memory were infinitely fast
  std::int64_t input_words = 0;
  std::int64_t weight_words = 0;
  std::int64_t output_words = 0;
  std::int64_t useful_macs = 0;  ///< of the batch's real samples
  /// Words that the input words are made of: each once. As in those, a short last block counts as full, and
  /// so does the last product of packed groups.
  std::int64_t unique_input_words = 0;
  std::int64_t on_chip_bytes = 0;  ///< tiles, what stays, and line buffers; 0 for movers
  std::int64_t packed_groups = 1;  ///< groups per product; above 1 only for depthwise layers
  bool feasible = true;            ///< the buffers hold what the policy needs
  Bound bound = Bound::compute;    ///< of compute and memory the larger; of memory, the most words' time
  double memory_cycles = 0;        ///< all words over the channel: the other side of the roofline
  double latency_cycles = 0;
  double roofline_cycles = 0;  ///< max(compute, memory): a bound from below
  double latency_s = 0;
  double roofline_s = 0;
  double mac_utilisation = 0;  ///< useful MACs / (latency in cycles x T_P x T_C); 0 for movers
};

/// Cost of running `batch` samples of `layer` on `npu` under `policy`, feasible or not.
/// Preconditions: `npu` is valid and `policy` covers `batch` (std::invalid_argument otherwise).
/// A depthwise layer is packed by the power of two of groups that gives the least latency, among those that
/// are feasible where there are any.
LayerCost layer_cost(const Layer& layer, const Npu& npu, int batch, const BatchPolicy& policy);

/// Latency in cycles of a policy that covers its batch and is feasible; infinity where it is not. Equal to
/// what layer_cost gives, and cheaper: what a search evaluates.
double feasible_latency_cycles(const Layer& layer, const Npu& npu, int batch, const BatchPolicy& policy);

}  // namespace fluidbatch::npu
