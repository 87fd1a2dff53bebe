// The requests that wait for the NPU.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "scheduler/request.h"

namespace fluidbatch::sim {

/// Numbers of requests in the order in which they are served, in one piece of memory. Amortised O(1).
class RequestQueue {
 public:
  [[nodiscard]] bool empty() const { return begin_ == end_; }
  [[nodiscard]] std::size_t size() const { return end_ - begin_; }
  [[nodiscard]] std::span<const scheduler::RequestId> ids() const { return {&room_[begin_], size()}; }

  /// Adds a number at the end.
  void push(scheduler::RequestId id) {
    if (end_ == last_) make_room();
    room_[end_++] = id;
  }
  /// Takes the first `count`, no more than there are. They are good until the next push.
  std::span<const scheduler::RequestId> take(std::size_t count) {
    const std::span<const scheduler::RequestId> taken = ids().first(count);
    begin_ += count;
    return taken;
  }

 private:
  /// Moves those who wait to the front, and doubles the room where they are the larger part of it.
  [[gnu::noinline]] void make_room() {
    std::copy(room_.begin() + static_cast<std::ptrdiff_t>(begin_),
              room_.begin() + static_cast<std::ptrdiff_t>(end_), room_.begin());
    end_ -= begin_;
    begin_ = 0;
    if (end_ > room_.size() / 2) room_.resize(2 * room_.size());
    last_ = room_.size() - 1;
  }

  std::vector<scheduler::RequestId> room_ = std::vector<scheduler::RequestId>(64);
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t last_ = room_.size() - 1;  // the end does not go beyond it
};

}  // namespace fluidbatch::sim
