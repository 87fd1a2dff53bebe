// What one run gave: a value for each statistic, and how it is computed.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "sim/measure/run_intervals.h"
#include "sim/measure/statistic.h"

namespace fluidbatch::scheduler {
struct Slo;
}

namespace fluidbatch::sim {

struct Conservation;
struct LatencyBounds;
struct Totals;

/// What one run of one system gave. A statistic that is not defined (no request was measured, or too few
/// for an interval) is NaN.
struct RunStatistics {
  std::vector<double> values = std::vector<double>(kStatistics);      ///< by StatisticId
  std::vector<Absence> absences = std::vector<Absence>(kStatistics);  ///< why a value is NaN, by StatisticId
  std::vector<double> exit_shares;
  /// Of the requests that left by each exit, the share of right answers; NaN where there is none of which
  /// that is known.
  std::vector<double> exit_accuracies;
  std::vector<double> segment_batches;  ///< mean active batch size in each segment, over the time spent in it
  std::uint64_t admitted = 0;
  bool saturated =
      false;  ///< the backlog grew through the run: the means say more of its length than of the system
  /// Of a site: the same of each service over all NPUs, and of each NPU over all services. Empty where there
  /// is one of them.
  std::vector<RunStatistics> services;
  std::vector<RunStatistics> npus;

  [[nodiscard]] double operator[](StatisticId id) const { return values[static_cast<std::size_t>(id)]; }
  /// Why a value is NaN.
  [[nodiscard]] Absence absence(StatisticId id) const { return absences[static_cast<std::size_t>(id)]; }
  /// Sets a value.
  void set(StatisticId id, double value) { values[static_cast<std::size_t>(id)] = value; }
  /// Sets a value to NaN, with the reason.
  void set_absent(StatisticId id, Absence why);
  /// Sets the half-width of an interval, or why there is none.
  void set(StatisticId id, const HalfWidth& half_width);
};

/// All fields of `statistics`, for `visit`.
template <typename Self, typename Visit>
requires std::same_as<std::remove_const_t<Self>, RunStatistics>
void fields(Self& statistics, Visit& visit) {
  auto& [values, absences, exit_shares, exit_accuracies, segment_batches, admitted, saturated, services,
         npus] = statistics;
  visit(values, absences, exit_shares, exit_accuracies, segment_batches, admitted, saturated, services, npus);
}

/// Adds lower bounds of the mean latency of a run that dropped no measured request and ended at `end_s`, and
/// the mean's distance to the higher one. Throws InvariantViolation where the mean is below a bound by more
/// than rounding.
void add_bounds(RunStatistics& statistics, const LatencyBounds& bounds, double end_s);

/// What is known of the exits of a run beside those taken.
struct ExitThresholds {
  bool decided = false;  ///< a control has moved them: Totals::thresholds has them
  /// Otherwise those in force at each exit but the last; empty where there are none.
  std::vector<double> fixed;
};

/// Takes the infinities of dropped requests out of `totals`. Without an uplink those from end to
/// end are the ones at the server. Throws InvariantViolation where the NPU was busy for longer than the
/// window.
RunStatistics compute_statistics(Totals& totals, const Conservation& conservation, const scheduler::Slo& slo,
                                 const ExitThresholds& thresholds = {});

/// Whether a run's accuracy is below `target` by more than 0.2 points and what chance explains (1.96 standard
/// errors of a share of so many requests).
bool misses_accuracy(const RunStatistics& statistics, double target);

}  // namespace fluidbatch::sim
