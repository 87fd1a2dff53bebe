// The requests of a run: arrivals joined with their exits, up to the end that the configuration sets.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>

#include "workloads/arrivals.h"
#include "workloads/exits.h"

namespace fluidbatch::workloads {

/// Where a run ends: after so many requests, or with the last arrival before a date.
struct RunLength {
  std::uint64_t requests = std::numeric_limits<std::uint64_t>::max();
  double duration_s = std::numeric_limits<double>::infinity();
};

class RequestStream {
 public:
  RequestStream(const ArrivalSpec& arrivals, const ExitSpec& exits, std::uint64_t seed,
                const RunLength& length)
      : arrivals_(arrivals.start(seed)), exits_(exits.start(seed)), length_(length) {}

  /// The next request, its exit filled in; false at the end of the run or of a trace.
  bool next(Arrival& request) {
    if (given_ >= length_.requests || !arrivals_->next(request)) return false;
    if (request.date_s >= length_.duration_s) return false;
    request.exit = exits_->next(request);
    if (request.exit < 0) return false;
    ++given_;
    return true;
  }

 private:
  std::unique_ptr<ArrivalStream> arrivals_;
  std::unique_ptr<ExitStream> exits_;
  RunLength length_;
  std::uint64_t given_ = 0;
};

}  // namespace fluidbatch::workloads
