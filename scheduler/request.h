// A request and the window of requests that are in the system, in order of arrival.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace fluidbatch::scheduler {

/// Requests are numbered from 0 in order of arrival at the server.
using RequestId = std::uint64_t;

/// One sample from one device, and what has become of it so far. Dates in seconds.
/// Each fills a cache line, which makes numbers cheap to turn into addresses.
struct alignas(64) Request {
  double arrival_s = 0;
  double sent_s = 0;        ///< by its device; arrival_s where there is no uplink
  double start_s = 0;       ///< first step began; meaningless while queued
  double completion_s = 0;  ///< left the server; meaningless before `completed`
  double suspended_s = 0;   ///< time spent in a suspended batch
  /// Of the exit control, where it left: of the last early exit, where it left by none. Meaningless before
  /// `completed` and without an exit control.
  double threshold = 0;
  std::uint32_t device = 0;
  /// The exit it will take; where a control decides at run time, up to then the one it would take at the
  /// workload's own thresholds. Not known to a real server: only an oracle policy may look.
  std::int32_t exit = 0;
  std::int32_t sample = -1;    ///< row of the recorded sample that it is, from 0; -1 where there is none
  std::uint16_t npu = 0;       ///< that serves it, from 0
  std::int8_t correct = -1;    ///< whether that exit's answer is right: 1 or 0; -1 where not known
  bool completed : 1 = false;  ///< or dropped: its stay has ended
  bool dropped : 1 = false;    ///< given up while queued; completion_s is the date of that
  bool forced : 1 = false;     ///< by a deadline to leave before it was sure enough
};
static_assert(sizeof(Request) == 64);

/// Ring of the requests first .. end - 1. Amortised O(1) push; references are good until the next push.
class RequestWindow {
 public:
  [[nodiscard]] RequestId first() const { return first_; }
  [[nodiscard]] RequestId end() const { return end_; }
  [[nodiscard]] bool empty() const { return first_ == end_; }

  [[nodiscard]] Request& operator[](RequestId id) { return ring_[id & mask_]; }
  [[nodiscard]] const Request& operator[](RequestId id) const { return ring_[id & mask_]; }

  /// Adds a request at the end; its number.
  RequestId push(const Request& request) {
    if (end_ - first_ > mask_) grow();
    (*this)[end_] = request;
    return end_++;
  }
  void pop_first() { ++first_; }

 private:
  [[gnu::noinline]] void grow() {  // rare: kept out of the way of what is not
    std::vector<Request> larger(2 * ring_.size());
    const RequestId mask = larger.size() - 1;
    for (RequestId id = first_; id != end_; ++id) larger[id & mask] = (*this)[id];
    ring_.swap(larger);
    mask_ = mask;
  }

  std::vector<Request> ring_ = std::vector<Request>(64);  // a power of two
  RequestId mask_ = ring_.size() - 1;
  RequestId first_ = 0;
  RequestId end_ = 0;
};

}  // namespace fluidbatch::scheduler
