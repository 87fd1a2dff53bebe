// A memory channel of the tile-by-tile loop: transfers that may cross it, and which of them does.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "tests/support/tile_loop.h"

namespace fluidbatch::test {

class ArbitratedChannel {
 public:
  explicit ArbitratedChannel(Arbiter arbiter) : arbiter_(arbiter) {}

  /// From now on a transfer of `cycles` may cross, which step `needed_by` waits for.
  void ask(double cycles, std::int64_t needed_by) {
    double rank = 0;  // fifo: the number alone decides
    if (arbiter_ == Arbiter::ideal) rank = static_cast<double>(needed_by);
    if (arbiter_ == Arbiter::equal_share) rank = served_each_ + cycles;
    waiting_.push_back({.rank = rank, .number = next_number_++, .left = cycles, .needed_by = needed_by});
    std::push_heap(waiting_.begin(), waiting_.end(), later);
  }

  [[nodiscard]] bool idle() const { return waiting_.empty(); }

  /// Cycles until the next transfer ends, if none is asked for before.
  [[nodiscard]] double until_next_end() const {
    if (idle()) return std::numeric_limits<double>::infinity();
    if (arbiter_ != Arbiter::equal_share) return waiting_.front().left;
    return std::max(0.0, waiting_.front().rank - served_each_) * static_cast<double>(waiting_.size());
  }

  /// Serves for `cycles`, at most until_next_end().
  void serve(double cycles) {
    if (idle()) return;
    waiting_.front().left -= cycles;
    served_each_ += cycles / static_cast<double>(waiting_.size());
  }

  /// Ends the transfer that is next; the step that needs it.
  std::int64_t end_next() {
    const std::int64_t needed_by = waiting_.front().needed_by;
    std::pop_heap(waiting_.begin(), waiting_.end(), later);
    waiting_.pop_back();
    if (idle()) served_each_ = 0;
    return needed_by;
  }

 private:
  struct Transfer {
    double rank;
    std::int64_t number;
    double left;  // of no meaning where all share: there the rank says when it ends
    std::int64_t needed_by;
  };

  static bool later(const Transfer& a, const Transfer& b) {
    return a.rank != b.rank ? a.rank > b.rank : a.number > b.number;
  }

  Arbiter arbiter_;
  std::int64_t next_number_ = 0;
  double served_each_ = 0;  // equal shares: what each transfer that is present all along has got
  std::vector<Transfer> waiting_;
};

}  // namespace fluidbatch::test
