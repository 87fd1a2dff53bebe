// The latencies that serving works with: of every (layer, batch size), from the model or measured.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <Eigen/Core>

#include "npu_model/control_block.h"
#include "npu_model/energy.h"

namespace fluidbatch::npu {

/// Latencies of a network's layers for batches 1 .. max_batch on one NPU, from the model or measured.
/// Immutable; every look-up is O(1).
/// Layers are in order of execution, their segments 0 .. segments() - 1 without a gap.
/// Who is shown one, and wants it to live on, asks it for a share of itself (weak_from_this).
class BatchPolicyTable : public std::enable_shared_from_this<BatchPolicyTable> {
 public:
  /// The latencies of a control block. Throws std::invalid_argument where that does (control_block.h), and
  /// where `layers` is empty.
  BatchPolicyTable(std::vector<Layer> layers, const Npu& npu, Mode mode, int max_batch,
                   const Poll& poll = {});

  /// A table measured on a real board instead: seconds, layers x max_batch.
  /// Throws std::invalid_argument where the shape is not that of `layers`, or a value negative or not finite.
  BatchPolicyTable(std::vector<Layer> layers, const Eigen::ArrayXXd& latencies_s);

  [[nodiscard]] int layers() const { return static_cast<int>(layers_.size()); }
  [[nodiscard]] int segments() const { return static_cast<int>(segment_begin_.size()) - 1; }
  [[nodiscard]] int max_batch() const { return max_batch_; }
  /// The choices and costs that the latencies are of; nullptr for a measured table, which has none.
  [[nodiscard]] const ControlBlock* control_block() const {
    return control_block_ ? &*control_block_ : nullptr;
  }
  /// The NPU of the model; nullptr for a measured table.
  [[nodiscard]] const Npu* npu() const { return control_block_ ? &control_block_->npu() : nullptr; }
  /// Name of the mode, or "measured".
  [[nodiscard]] std::string_view mode_name() const {
    return control_block_ ? name_of(control_block_->mode()) : "measured";
  }

  /// The layer itself, from 0.
  [[nodiscard]] const Layer& layer(int index) const { return layers_[static_cast<std::size_t>(index)]; }
  /// The segment that a layer belongs to, from 0.
  [[nodiscard]] int segment_of(int layer) const { return segment_of_[static_cast<std::size_t>(layer)]; }
  /// First layer of `segment`; that of segment segments() is layers().
  [[nodiscard]] int segment_begin(int segment) const {
    return segment_begin_[static_cast<std::size_t>(segment)];
  }

  /// Seconds that layers first .. last - 1 take for a batch of `batch`: a difference of prefix sums.
  [[nodiscard]] double latency_s(int first, int last, int batch) const {
    return prefix_s_(last, batch - 1) - prefix_s_(first, batch - 1);
  }
  /// Unloaded latency of a sample that takes no exit: all layers, heads included, at batch 1.
  [[nodiscard]] double single_sample_latency_s() const { return latency_s(0, layers(), 1); }
  /// Multiply-accumulates of one sample in layers first .. last - 1.
  [[nodiscard]] double macs(int first, int last) const { return prefix_macs_(last) - prefix_macs_(first); }
  /// What the NPU says its operations take; nullptr where it says nothing, and for a measured table.
  [[nodiscard]] const OperationEnergies* energies() const {
    return npu() != nullptr && npu()->energy ? &*npu()->energy : nullptr;
  }
  /// Of `batch` samples in one layer. Worked out at each call. Precondition: energies() is not null.
  [[nodiscard]] DynamicEnergy dynamic_energy(int layer, int batch) const;

 private:
  void add_up(const Eigen::ArrayXXd& latencies_s);

  std::vector<Layer> layers_;
  int max_batch_;
  std::vector<int> segment_begin_;  // segments() + 1 layer indices
  std::vector<int> segment_of_;     // by layer
  Eigen::ArrayXXd prefix_s_;        // (layers + 1) x max_batch: seconds before each layer
  Eigen::ArrayXd prefix_macs_;      // layers + 1: of one sample, before each layer
  std::optional<ControlBlock> control_block_;
};

}  // namespace fluidbatch::npu
