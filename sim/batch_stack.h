// The batches in flight: the active one and those that it has preempted.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "scheduler/policy.h"

namespace fluidbatch::sim {

/// The registers of the paper's Fluid Batching Engine: one suspended sub-batch beside the active one.
struct FbeRegisters {
  int b_old = 0;  ///< samples of the suspended batch; 0 where there is none
  int l_old = 0;  ///< the layer that they wait before
  int b_act = 0;  ///< samples of the active batch
  int l = 0;      ///< the layer that they run next
};

/// A stack of batches, the active one on top. The FBE's two levels, generalised to any depth: every batch is
/// at an earlier layer than the one below it. Dates are of the caller's; samples keep their own count of
/// layers and suspended time in the request window.
class BatchStack {
 public:
  explicit BatchStack(scheduler::RequestWindow& requests) : requests_(requests) {}

  [[nodiscard]] bool empty() const { return depth_ == 0; }
  [[nodiscard]] std::size_t depth() const { return depth_; }
  [[nodiscard]] const scheduler::Batch& active() const { return batches_[depth_ - 1]; }
  [[nodiscard]] std::span<const scheduler::Batch> batches() const { return {batches_.data(), depth_}; }
  /// The registers as the FBE would hold them: of the two uppermost batches.
  [[nodiscard]] FbeRegisters registers() const;

  /// B_incr requests, from number `first` on, become the active batch, at layer 0. The batch that was active
  /// is suspended, or joined where it has not run a layer yet.
  void push(scheduler::RequestId first, int b_incr, double date_s);

  /// The active batch has run up to `layer`.
  void advance_to(int layer);

  /// Takes the samples whose exit is `exit` out of the active batch, B_exit in number, and calls `visit` with
  /// each. An emptied batch is popped, and the one below becomes active.
  template <typename Visit>
  void leave(int exit, double date_s, const Visit& visit) {
    std::vector<scheduler::RequestId>& samples = top().samples;
    std::size_t stay = 0;  // those who stay keep their order
    for (const scheduler::RequestId id : samples) {
      if (requests_[id].exit == exit) {
        visit(id);
      } else {
        samples[stay++] = id;
      }
    }
    samples.erase(samples.begin() + static_cast<std::ptrdiff_t>(stay), samples.end());
    if (stay > 0) return;
    --depth_;
    if (depth_ > 0) resume(top(), date_s);
  }

  /// Merges the two uppermost batches where they are about to run the same layer; true where they are.
  bool merge(double date_s);

 private:
  [[nodiscard]] scheduler::Batch& top() { return batches_[depth_ - 1]; }
  void resume(scheduler::Batch& batch, double date_s);

  scheduler::RequestWindow& requests_;
  // Those beyond `depth_` are gone; they are kept for their vectors, since allocating one for each batch
  // would cost more than all the rest.
  std::vector<scheduler::Batch> batches_;
  std::size_t depth_ = 0;
};

}  // namespace fluidbatch::sim
