// The control block: for every (layer, batch size) the batch policy of the NPU model, and its cost.
#pragma once

#include <vector>

#include <Eigen/Core>

#include "npu_model/batch_policies.h"
#include "npu_model/poll.h"

namespace fluidbatch::npu {

/// What the engine is told before each layer, for batches 1 .. max_batch of a network on one NPU in one mode.
/// Immutable; every look-up is O(1).
class ControlBlock {
 public:
  /// Throws std::invalid_argument where `npu` is invalid or `max_batch` < 1, and where the chip does not hold
  /// what its residency or its line buffers need for a layer.
  ControlBlock(const std::vector<Layer>& layers, Npu npu, Mode mode, int max_batch, const Poll& poll = {});

  [[nodiscard]] const Npu& npu() const { return npu_; }
  [[nodiscard]] Mode mode() const { return mode_; }

  /// The policy that was chosen. Preconditions here and below: layers from 0, batches from 1 to the largest.
  [[nodiscard]] const BatchPolicy& policy(int layer, int batch) const { return policies_[at(layer, batch)]; }
  /// What the layer costs under it.
  [[nodiscard]] const LayerCost& cost(int layer, int batch) const { return costs_[at(layer, batch)]; }

  /// Seconds, layers x max_batch.
  [[nodiscard]] Eigen::ArrayXXd latencies_s() const;

 private:
  [[nodiscard]] std::size_t at(int layer, int batch) const {
    return static_cast<std::size_t>(layer) * static_cast<std::size_t>(max_batch_) +
           static_cast<std::size_t>(batch - 1);
  }

  Npu npu_;
  Mode mode_;
  int max_batch_;
  std::vector<BatchPolicy> policies_;  // layers x max_batch, row by row
  std::vector<LayerCost> costs_;       // the same
};

}  // namespace fluidbatch::npu
