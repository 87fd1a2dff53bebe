// What brings requests to the server.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
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
  RequestStream(const RequestStream&) = delete;
  RequestStream& operator=(const RequestStream&) = delete;
  virtual ~RequestStream() = default;

  /// Date of the next event as it stands now: no request comes before it, unless an answer sets one off.
  /// Infinity: none.
  [[nodiscard]] virtual double next_event_s() const = 0;

  /// Applies that event; true where it has brought a request, which is filled in.
  virtual bool advance(Arrival& request) = 0;

  /// Whether what comes does not depend on what happens at the server, so that it can be read ahead of time.
  [[nodiscard]] virtual bool foretold() const { return !listens(); }

  /// Fills `block` with the next requests: all of it, or as many as there are left. Returns how many. Only
  /// where the stream is foretold.
  virtual std::size_t read(std::span<Arrival> block) {
    std::size_t filled = 0;
    while (filled < block.size() && next_event_s() < kNever) filled += std::size_t{advance(block[filled])};
    return filled;
  }

  /// Whether answers set off requests: a closed loop.
  [[nodiscard]] virtual bool listens() const { return false; }

  /// A request's stay at the server has ended at `date_s`, not before the last event. Called where it
  /// listens.
  virtual void answered(std::uint32_t /*device*/, double /*date_s*/) {}
};

}  // namespace fluidbatch::workloads
