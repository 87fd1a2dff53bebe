// The latency bound of a run, and all arithmetic of deadlines.
#pragma once

#include "scheduler/request.h"

namespace fluidbatch::scheduler {

/// A latency is late beyond the SLO by more than this, so that exact ties do not depend on rounding.
inline constexpr double kDeadlineTolerance_s = 1e-9;

/// The longest latency that keeps the bound `slo_s`; infinite where that is.
inline double latest_in_time_s(double slo_s) { return slo_s + kDeadlineTolerance_s; }

/// True where `latency_s` breaks the bound `slo_s`.
inline bool is_late(double latency_s, double slo_s) { return latency_s > latest_in_time_s(slo_s); }

/// The latency bound as the server has to keep it.
struct ServerSlo {
  double latency_s = 0;       ///< from `start_s` to completion; may be infinite
  bool from_sending = false;  ///< it counts from sending, not from arrival at the server

  /// The date from which the bound of a request counts. Where that is its sending, requests are not in order
  /// of it. `request`: a Request, or what a policy knows of one.
  template <typename AnyRequest>
  [[nodiscard]] double start_s(const AnyRequest& request) const {
    return from_sending ? request.sent_s : request.arrival_s;
  }
  /// What the bound leaves at `now_s` of a request whose bound counts from `start_s`; negative where it is
  /// late.
  [[nodiscard]] double slack_s(double now_s, double start_s) const { return latency_s - (now_s - start_s); }
  /// The date at which the bound ends that counts from `start_s`.
  [[nodiscard]] double deadline_s(double start_s) const { return start_s + latency_s; }
  /// True where a stay of `stay_s`, counted from `start_s`, breaks the bound.
  [[nodiscard]] bool is_missed_by(double stay_s) const { return is_late(stay_s, latency_s); }
};

/// The latency bound, and what it is laid on.
struct Slo {
  double latency_s = 0;         ///< may be infinite
  bool end_to_end = false;      ///< from sending to answer, not from arrival at the server to completion
  double answer_latency_s = 0;  ///< from completion to the device's having its answer

  /// From sending until the device has its answer.
  [[nodiscard]] double end_to_end_s(const Request& request) const {
    return request.completion_s - request.sent_s + answer_latency_s;
  }
  /// True where a request that has been answered broke the bound.
  [[nodiscard]] bool is_missed_by(const Request& request) const {
    return is_late(end_to_end ? end_to_end_s(request) : request.completion_s - request.arrival_s, latency_s);
  }
  /// What is left for the server: the bound less the way of the answer, where that counts.
  [[nodiscard]] ServerSlo of_server() const {
    return {.latency_s = end_to_end ? latency_s - answer_latency_s : latency_s, .from_sending = end_to_end};
  }
};

}  // namespace fluidbatch::scheduler
