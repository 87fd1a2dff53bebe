// What requests.csv tells of a request, as a plain value.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "scheduler/request.h"
#include "scheduler/slo.h"

namespace fluidbatch::sim {

/// A request whose stay has ended. NaN where a date or a time is not defined: a dropped request never started
/// and was never done. The meaning of each is that of its column (request_columns).
struct RequestRow {
  std::uint64_t request;
  double sent_s;
  double arrival_s;
  double start_s;
  double completion_s;
  double latency_s;
  double end_to_end_s;
  double queueing_s;
  double suspended_s;
  double executing_s;
  std::uint32_t device;
  std::int32_t exit;
  std::int32_t sample;    ///< -1 where exits don't come from confidences
  std::uint16_t service;  ///< 0 where there is one
  std::uint16_t npu;
  std::int8_t correct;  ///< 1 or 0; -1 where not known
  std::uint8_t slo_met;
  std::uint8_t dropped;
  std::array<std::uint8_t, 5> unused;  ///< 0, so that equal rows are equal bytes
};
static_assert(sizeof(RequestRow) == 104);

/// `slo`: of its service, number `service`.
inline RequestRow request_row(scheduler::RequestId id, const scheduler::Request& request,
                              const scheduler::Slo& slo, std::size_t service = 0) {
  constexpr double kEmpty = std::numeric_limits<double>::quiet_NaN();
  const bool served = !request.dropped;
  const double stay_s = request.completion_s - request.arrival_s;
  return {.request = id,
          .sent_s = request.sent_s,
          .arrival_s = request.arrival_s,
          .start_s = served ? request.start_s : kEmpty,
          .completion_s = served ? request.completion_s : kEmpty,
          .latency_s = served ? stay_s : kEmpty,
          .end_to_end_s = served ? slo.end_to_end_s(request) : kEmpty,
          .queueing_s = served ? request.start_s - request.arrival_s : stay_s,
          .suspended_s = served ? request.suspended_s : kEmpty,
          .executing_s = served ? request.completion_s - request.start_s - request.suspended_s : kEmpty,
          .device = request.device,
          .exit = request.exit,
          .sample = request.sample,
          .service = static_cast<std::uint16_t>(service),
          .npu = request.npu,
          .correct = request.correct,
          .slo_met = served && !slo.is_missed_by(request) ? std::uint8_t{1} : std::uint8_t{0},
          .dropped = request.dropped ? std::uint8_t{1} : std::uint8_t{0},
          .unused = {}};
}

}  // namespace fluidbatch::sim
