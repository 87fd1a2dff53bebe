// The next requests, read some way ahead.
#pragma once

#include <array>
#include <cstddef>

#include "workloads/traffic/request_stream.h"

namespace fluidbatch::sim {

/// A stream as the server sees it. Where it is foretold, requests are read in blocks: making many at once
/// takes less time than one now and then.
class LookAhead {
 public:
  /// `stream` must outlive this.
  explicit LookAhead(workloads::RequestStream& stream) : stream_(stream), foretold_(stream.foretold()) {
    refresh();
  }

  /// As RequestStream::next_event_s.
  [[nodiscard]] double next_event_s() const { return next_event_s_; }

  /// Applies that event. Returns the request that it has brought, good until the next call, or null.
  const workloads::Arrival* advance() {
    if (!foretold_) {
      const bool brought = stream_.advance(block_.front());
      next_event_s_ = stream_.next_event_s();
      return brought ? &block_.front() : nullptr;
    }
    const workloads::Arrival* request = &block_[next_++];
    if (next_ < filled_) {
      next_event_s_ = block_[next_].date_s;
    } else {
      last_ = *request;  // the block is about to be written anew
      request = &last_;
      refresh();
    }
    return request;
  }

  /// To be called where the stream has changed.
  void refresh() {
    if (!foretold_) {
      next_event_s_ = stream_.next_event_s();
      return;
    }
    if (next_ < filled_) return;
    next_ = 0;
    filled_ = stream_.read(block_);
    next_event_s_ = workloads::RequestStream::kNever;
    if (filled_ > 0) next_event_s_ = block_.front().date_s;
  }

  /// An answer has gone to its device.
  void answered(std::uint32_t device, double date_s) {
    stream_.answered(device, date_s);
    refresh();
  }

 private:
  static constexpr std::size_t kBlock = 64;

  workloads::RequestStream& stream_;
  bool foretold_;
  std::array<workloads::Arrival, kBlock> block_;
  std::size_t next_ = 0;
  std::size_t filled_ = 0;
  workloads::Arrival last_;
  double next_event_s_ = workloads::RequestStream::kNever;
};

}  // namespace fluidbatch::sim
