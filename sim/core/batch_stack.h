// The batches in flight: the active one and those that it has preempted.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "scheduler/view.h"
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
/// at an earlier layer than the one below it. A value; dates are of the caller's, and samples keep their
/// start and suspended time in the request window, which is given to each call.
class BatchStack {
 public:
  static constexpr int kNoExit = std::numeric_limits<int>::max();

  /// No more than `most` batches are in flight at a time.
  explicit BatchStack(std::size_t most) : batches_(most), next_exits_below_(most) {}

  [[nodiscard]] bool empty() const { return depth_ == 0; }
  /// Precondition: not empty.
  [[nodiscard]] const scheduler::Batch& active() const { return batches_[depth_ - 1]; }
  /// The first exit that a sample of the active batch takes, where that was drawn beforehand. Precondition:
  /// not empty.
  [[nodiscard]] int next_exit() const { return next_exit_; }
  /// The batch that the active one has preempted; nullptr where there is none.
  [[nodiscard]] const scheduler::Batch* suspended() const {
    return depth_ > 1 ? &batches_[depth_ - 2] : nullptr;
  }
  [[nodiscard]] std::span<const scheduler::Batch> batches() const { return {batches_.data(), depth_}; }
  /// The registers as the FBE would hold them: of the two uppermost batches.
  [[nodiscard]] FbeRegisters registers() const {
    FbeRegisters registers;
    if (empty()) return registers;
    registers.b_act = static_cast<int>(active().samples.size());
    registers.l = active().next_layer;
    if (suspended() != nullptr) {
      registers.b_old = static_cast<int>(suspended()->samples.size());
      registers.l_old = suspended()->next_layer;
    }
    return registers;
  }

  /// The requests `ids` become the active batch, at layer 0. The batch that was active is suspended, or
  /// joined where it has not run a layer yet. True where one has been suspended.
  bool push(scheduler::RequestWindow& requests, std::span<const scheduler::RequestId> ids, double date_s) {
    const bool suspends = !empty() && active().next_layer > 0;
    if (suspends) suspend(date_s);
    if (suspends || empty()) {
      ++depth_;
      top().samples.clear();
      top().next_layer = 0;
      next_exit_ = kNoExit;
    }
    scheduler::Batch& batch = top();
    int next_exit = next_exit_;
    for (const scheduler::RequestId id : ids) {
      scheduler::Request& request = requests[id];
      request.start_s = date_s;
      next_exit = std::min(next_exit, request.exit);
      batch.samples.push_back(id);
    }
    next_exit_ = next_exit;
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
  bool leave(scheduler::RequestWindow& requests, double date_s, const Visit& visit) {
    return leave_where(requests, date_s, [exit = next_exit_, &visit](scheduler::Request& request) {
      require_invariant(request.exit >= exit, "nobody is carried past the exit that it takes");
      if (request.exit != exit) return false;
      visit(request);
      return true;
    });
  }

  /// The same with those for which `leaves` is true, which is called once with each, in their order.
  template <typename Leaves>
  bool leave_where(scheduler::RequestWindow& requests, double date_s, const Leaves& leaves) {
    scheduler::Batch& batch = top();
    int next_exit = kNoExit;
    auto stay = batch.samples.begin();  // those who stay keep their order
    for (const scheduler::RequestId id : batch.samples) {
      scheduler::Request& request = requests[id];
      if (leaves(request)) continue;
      *stay++ = id;
      next_exit = std::min(next_exit, request.exit);
    }
    next_exit_ = next_exit;
    batch.samples.erase(stay, batch.samples.end());
    if (!batch.samples.empty()) return false;
    --depth_;
    if (empty()) return false;
    next_exit_ = next_exits_below_[depth_ - 1];
    resume(requests, top(), date_s);
    return true;
  }

  /// All of it stands still from `date_s` on, until it comes back. Precondition: not empty.
  void park(double date_s) { top().suspended_since_s = date_s; }
  /// It has the NPU again, from `date_s` on. Precondition: it was parked.
  void come_back(scheduler::RequestWindow& requests, double date_s) { resume(requests, top(), date_s); }

  /// Merges the two uppermost batches where they are about to run the same layer; true where they are.
  bool merge(scheduler::RequestWindow& requests, double date_s) {
    return depth_ > 1 && merge_uppermost(requests, date_s);
  }

 private:
  void suspend(double date_s) {
    top().suspended_since_s = date_s;
    next_exits_below_[depth_ - 1] = next_exit_;
  }
  bool merge_uppermost(scheduler::RequestWindow& requests, double date_s);
  [[nodiscard]] scheduler::Batch& top() { return batches_[depth_ - 1]; }
  static void resume(scheduler::RequestWindow& requests, const scheduler::Batch& batch, double date_s);

  // Those from `depth_` on are gone; they are kept for their vectors, since allocating one for each batch
  // would cost more than all the rest.
  std::vector<scheduler::Batch> batches_;
  std::size_t depth_ = 0;
  // The first exit that a sample of each batch takes: apart from the batches, since no policy may see it.
  int next_exit_ = kNoExit;  // of the active one
  std::vector<int> next_exits_below_;
};

}  // namespace fluidbatch::sim
