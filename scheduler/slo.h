// The latency bound of a run.
#pragma once

#include "scheduler/request.h"

namespace fluidbatch::scheduler {

/// A latency is late beyond the SLO by more than this, so that exact ties do not depend on rounding.
inline constexpr double kDeadlineTolerance_s = 1e-9;

/// True where `latency_s` breaks the bound `slo_s`.
inline bool is_late(double latency_s, double slo_s) { return latency_s > slo_s + kDeadlineTolerance_s; }

/// The latency bound, and what it is laid on.
struct Slo {
  double latency_s = 0;         ///< may be infinite
  bool end_to_end = false;      ///< from sending to answer, not from arrival at the server to completion
  double answer_latency_s = 0;  ///< from completion to the device's having its answer

  [[nodiscard]] double end_to_end_s(const Request& request) const {
    return request.completion_s - request.sent_s + answer_latency_s;
  }
  /// True where a request that has been answered broke the bound.
  [[nodiscard]] bool is_missed_by(const Request& request) const {
    return is_late(end_to_end ? end_to_end_s(request) : request.completion_s - request.arrival_s, latency_s);
  }
  /// What is left for the server: the bound less the way of the answer, where that counts.
  [[nodiscard]] double server_latency_s() const {
    return end_to_end ? latency_s - answer_latency_s : latency_s;
  }
};

}  // namespace fluidbatch::scheduler
