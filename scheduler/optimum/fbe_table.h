// The decisions of a Fluid Batching Engine as a table, such as its control block could hold.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace fluidbatch::scheduler {

/// What an FBE knows at a boundary. Segments are those that are run next.
struct FbeState {
  int queue = 0;
  int active = 0;  ///< samples of the active batch; 0: the NPU is idle
  int segment = 0;
  int suspended = 0;  ///< samples of the suspended batch; 0: none
  int suspended_segment = 0;
};

/// How many newcomers start, by queue, active batch and segment. With a batch suspended none do.
class FbeTable {
 public:
  /// Without newcomers anywhere. `longest_queue`, `segments` and `max_batch` are at least 1.
  FbeTable(int segments, int max_batch, int longest_queue)
      : segments_(segments),
        max_batch_(max_batch),
        longest_queue_(longest_queue),
        newcomers_(static_cast<std::size_t>((segments - 1) * max_batch + 1) *
                   (static_cast<std::size_t>(longest_queue) + 1)) {}

  [[nodiscard]] int segments() const { return segments_; }
  [[nodiscard]] int max_batch() const { return max_batch_; }
  /// A longer queue is taken for one of this length.
  [[nodiscard]] int longest_queue() const { return longest_queue_; }

  /// 0: go on, or, where the NPU is idle, wait for the next arrival. Precondition: segment 1 .. segments() -
  /// 1 and at most max_batch() samples, where a batch is active.
  [[nodiscard]] int newcomers(const FbeState& state) const {
    return state.suspended > 0 ? 0 : newcomers_[index(state)];
  }
  /// Precondition: as above, and nobody is suspended.
  void set_newcomers(const FbeState& state, int newcomers) {
    newcomers_[index(state)] = static_cast<std::uint16_t>(newcomers);
  }

 private:
  [[nodiscard]] std::size_t index(const FbeState& state) const {
    const int batch = state.active == 0 ? 0 : (state.segment - 1) * max_batch_ + state.active;
    return static_cast<std::size_t>(batch) * (static_cast<std::size_t>(longest_queue_) + 1) +
           static_cast<std::size_t>(std::min(state.queue, longest_queue_));
  }

  int segments_;
  int max_batch_;
  int longest_queue_;
  std::vector<std::uint16_t> newcomers_;
};

}  // namespace fluidbatch::scheduler
