// Cycles, words and latency of one layer for one batch: the closed form of docs/model.md.
#pragma once

#include <cstdint>

#include "npu_model/layer.h"
#include "npu_model/npu.h"

namespace fluidbatch::npu {

/// How a batch is laid over the engine: B_P blocks side by side along P, each of B_R samples below one
/// another along R, on PEs stacked by k.
struct BatchPolicy {
  int b_r = 1;
  int b_p = 1;
  int k = 1;

  bool operator==(const BatchPolicy&) const = default;
};

/// The policy that runs `batch` samples as `b_p` blocks: B_R = ceil(batch / b_p).
BatchPolicy blocks_of(int batch, int b_p, int k);

/// True where `policy` lays out exactly `batch` samples: no empty block, B_R as small as can be.
bool covers(const BatchPolicy& policy, int batch);

struct LayerCost {
  std::int64_t compute_cycles = 0;  ///< as if memory were infinitely fast
  std::int64_t input_words = 0;
  std::int64_t weight_words = 0;
  std::int64_t output_words = 0;
  std::int64_t useful_macs = 0;  ///< of the batch's real samples
  double latency_cycles = 0;
  double roofline_cycles = 0;  ///< max(compute, words / bandwidth): a bound from below
  double latency_s = 0;
  double roofline_s = 0;
  double mac_utilisation = 0;  ///< useful MACs / (latency in cycles x T_P x T_C); 0 for movers
};

/// Cost of running `batch` samples of `layer` on `npu` under `policy`.
/// Preconditions: `npu` is valid and `policy` covers `batch` (std::invalid_argument otherwise).
/// A depthwise layer is packed by the power of two of groups that gives the least latency.
LayerCost layer_cost(const Layer& layer, const Npu& npu, int batch, const BatchPolicy& policy);

}  // namespace fluidbatch::npu
