// The next requests, read some way ahead.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "workloads/traffic/request_stream.h"

namespace fluidbatch::sim {

/// A stream as the server sees it. Where it is foretold, requests are read in blocks: making many at once
/// takes less time than one now and then. A value; the stream is given to each call, and is the same one, or
/// a clone that goes on from the same state.
class LookAhead {
 public:
  static constexpr std::size_t kMost = 64;

  /// `most`: requests that are read at a time, 1 to kMost.
  LookAhead(workloads::RequestStream& stream, std::size_t most) : foretold_(stream.foretold()), most_(most) {
    refresh(stream);
  }

  /// As RequestStream::next_event_s.
  [[nodiscard]] double next_event_s() const { return next_event_s_; }

  /// Applies that event. Returns the request that it has brought, good until the next call, or null.
  const workloads::Arrival* advance(workloads::RequestStream& stream) {
    if (!foretold_) {
      const bool brought = stream.advance(block_.front());
      next_event_s_ = stream.next_event_s();
      return brought ? block_.data() : nullptr;
    }
    const workloads::Arrival* request = &block_[next_++];
    if (next_ < filled_) {
      next_event_s_ = block_[next_].date_s;
    } else {
      last_ = *request;  // the block is about to be written anew
      request = &last_;
      refresh(stream);
    }
    return request;
  }

  /// To be called where the stream has changed.
  void refresh(workloads::RequestStream& stream) {
    if (!foretold_) {
      next_event_s_ = stream.next_event_s();
      return;
    }
    if (next_ < filled_) return;
    next_ = 0;
    filled_ = stream.read(std::span(block_).first(most_));
    next_event_s_ = workloads::RequestStream::kNever;
    if (filled_ > 0) next_event_s_ = block_.front().date_s;
  }

  /// As RequestStream::restart: what has been read and has not come yet is given back.
  void restart(workloads::RequestStream& stream, double now_s) {
    if (!foretold_ || !stream.restart(now_s, filled_ - next_)) return;
    next_ = filled_;
    refresh(stream);
  }

  /// An answer has gone to its device.
  void answered(workloads::RequestStream& stream, std::uint32_t device, double date_s) {
    stream.answered(device, date_s);
    refresh(stream);
  }

 private:
  bool foretold_;
  std::size_t most_;
  std::array<workloads::Arrival, kMost> block_;
  std::size_t next_ = 0;
  std::size_t filled_ = 0;
  workloads::Arrival last_;
  double next_event_s_ = workloads::RequestStream::kNever;
};

}  // namespace fluidbatch::sim
