// The batches in flight: the active one and those that it has preempted.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "scheduler/policy.h"
#include "sim/core/invariant.h"

namespace fluidbatch::sim {

/// The registers of the paper's Fluid Batching Engine: one suspended sub-batch beside the active one.
struct FbeRegisters {
  int b_old = 0;  ///< samples of the suspended batch; 0 where there is none
  int l_old = 0;  ///< the layer that they wait before
  int b_act = 0;  ///< samples of the active batch
  int l = 0;      ///< the layer that they run next
};

/// A stack of batches, the active one on top. The FBE's two levels, generalised to any depth: every batch is
/// at an earlier layer than the one below it. Dates are of the caller's; samples keep their start and
/// suspended time in the request window.
class BatchStack {
 public:
  /// `requests` must outlive the stack. No more than `most` batches are in flight at a time.
  BatchStack(scheduler::RequestWindow& requests, std::size_t most) : requests_(requests), batches_(most) {}
  BatchStack(const BatchStack&) = delete;
  BatchStack& operator=(const BatchStack&) = delete;

  [[nodiscard]] bool empty() const { return end_ == batches_.data(); }
  /// Precondition: not empty.
  [[nodiscard]] const scheduler::Batch& active() const { return end_[-1]; }
  /// The batch that the active one has preempted; nullptr where there is none.
  [[nodiscard]] const scheduler::Batch* suspended() const {
    return end_ - batches_.data() > 1 ? end_ - 2 : nullptr;
  }
  [[nodiscard]] std::span<const scheduler::Batch> batches() const { return {batches_.data(), end_}; }
  /// The registers as the FBE would hold them: of the two uppermost batches.
  [[nodiscard]] FbeRegisters registers() const;

  /// B_incr requests, from number `first` on, become the active batch, at layer 0. The batch that was active
  /// is suspended, or joined where it has not run a layer yet. True where one has been suspended.
  bool push(scheduler::RequestId first, int b_incr, double date_s) {
    const bool suspends = !empty() && active().next_layer > 0;
    if (suspends) top().suspended_since_s = date_s;
    if (suspends || empty()) {
      ++end_;
      top().samples.clear();
      top().next_layer = 0;
      top().next_exit = scheduler::Batch::kNoExit;
    }
    scheduler::Batch& batch = top();
    for (int i = 0; i < b_incr; ++i) {
      scheduler::Request& request = requests_[first];
      request.start_s = date_s;
      batch.next_exit = std::min(batch.next_exit, request.exit);
      batch.samples.push_back(first++);
    }
    return suspends;
  }

  /// The active batch has run layers first .. end - 1.
  void ran(int first, int end) {
    require_invariant(first == top().next_layer && first < end, "a sample runs every layer once, in order");
    top().next_layer = end;
  }

  /// Takes the samples that leave by the active batch's next exit out of it, B_exit in number, and calls
  /// `visit` with each. An emptied batch is popped, and the one below becomes active: true where there is
  /// one.
  template <typename Visit>
  bool leave(double date_s, const Visit& visit) {
    scheduler::Batch& batch = top();
    const int exit = std::exchange(batch.next_exit, scheduler::Batch::kNoExit);
    auto stay = batch.samples.begin();  // those who stay keep their order
    for (const scheduler::RequestId id : batch.samples) {
      scheduler::Request& request = requests_[id];
      require_invariant(request.exit >= exit, "nobody is carried past the exit that it takes");
      if (request.exit == exit) {
        visit(request);
      } else {
        *stay++ = id;
        batch.next_exit = std::min(batch.next_exit, request.exit);
      }
    }
    batch.samples.erase(stay, batch.samples.end());
    if (!batch.samples.empty()) return false;
    --end_;
    if (empty()) return false;
    resume(top(), date_s);
    return true;
  }

  /// Merges the two uppermost batches where they are about to run the same layer; true where they are.
  bool merge(double date_s) { return suspended() != nullptr && merge_uppermost(date_s); }

 private:
  bool merge_uppermost(double date_s);
  [[nodiscard]] scheduler::Batch& top() { return end_[-1]; }
  void resume(scheduler::Batch& batch, double date_s);

  scheduler::RequestWindow& requests_;
  // Those from `end_` on are gone; they are kept for their vectors, since allocating one for each batch would
  // cost more than all the rest.
  std::vector<scheduler::Batch> batches_;
  scheduler::Batch* end_ = batches_.data();
};

}  // namespace fluidbatch::sim
