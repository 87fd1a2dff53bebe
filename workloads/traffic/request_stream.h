// What brings requests to the server.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>

#include "workloads/traffic/arrivals.h"

namespace fluidbatch::workloads {

/// Where a run ends: after so many requests, or with the last one sent before a date.
struct RunLength {
  std::uint64_t requests = std::numeric_limits<std::uint64_t>::max();
  double duration_s = std::numeric_limits<double>::infinity();
};

/// A stream of events, in order of date; some of them bring a request to the server, others (a sample enters
/// a shared link, say) only change what comes later.
class RequestStream {
 public:
  static constexpr double kNever = std::numeric_limits<double>::infinity();

  RequestStream() = default;
  RequestStream& operator=(const RequestStream&) = delete;
  virtual ~RequestStream() = default;

  /// Date of the next event as it stands now: no request comes before it, unless an answer sets one off.
  /// Infinity: none.
  [[nodiscard]] virtual double next_event_s() const = 0;
  /// Whether no request comes any more, unless an answer sets one off.
  [[nodiscard]] virtual bool exhausted() const { return next_event_s() == kNever; }

  /// Applies events: where the stream is foretold, until `block` is full of requests or no event is left;
  /// otherwise the next one alone. Returns how many requests that has brought; they are the first of `block`,
  /// which is not empty.
  virtual std::size_t read(std::span<Arrival> block) = 0;
  /// Applies the next event, or all up to the next request where the stream is foretold; true where that has
  /// brought a request, which is filled in.
  bool advance(Arrival& request) { return read({&request, 1}) == 1; }

  /// Whether what comes does not depend on what happens at the server, so that it can be read ahead of time.
  [[nodiscard]] virtual bool foretold() const { return !listens(); }

  /// Whether answers set off requests: a closed loop.
  [[nodiscard]] virtual bool listens() const { return false; }

  /// A request's stay at the server has ended at `date_s`, not before the last event. Called where it
  /// listens.
  virtual void answered(std::uint32_t /*device*/, double /*date_s*/) {}

  /// A stream in the same state. It may use what the scenario holds, which must outlive both. Throws
  /// std::logic_error where others than the stream know of its state: SimGrid's links.
  [[nodiscard]] virtual std::unique_ptr<RequestStream> clone() const = 0;
  /// From here on another future, that of `branch` (RandomStream::split). Dates and exits that have been
  /// drawn already stay: the next request of each device, and one more where there are many.
  virtual void split(std::uint64_t branch) = 0;
  /// After split: draws anew what has been drawn for later than `now_s`, given that it did not come up to
  /// then; of it, `unread` requests have been read. False, and nothing changes, where that can't be done:
  /// dates and exits that have been drawn stay.
  virtual bool restart(double /*now_s*/, std::size_t /*unread*/) { return false; }

 protected:
  RequestStream(const RequestStream&) = default;
};

}  // namespace fluidbatch::workloads
