// How precisely a run knows a statistic: the half-width of its 95 % interval, relative to the statistic.
#pragma once

#include <optional>
#include <vector>

#include "sim/measure/statistic.h"

namespace fluidbatch::sim {

struct RunStatistics;

/// A precision that a run is to reach.
struct PrecisionTarget {
  StatisticId statistic = StatisticId::mean_latency;
  double relative_half_width = 0;  ///< above 0, below 1
};

/// Of its statistic.
inline const char* name_of(const PrecisionTarget& target) {
  return all_statistics()[static_cast<std::size_t>(target.statistic)].name;
}

/// The statistic that is the half-width of the interval of `statistic`, by their names: that of `x_s` is
/// `x_ci95_s`, that of `x` is `x_ci95`. Nothing where there is none.
std::optional<StatisticId> half_width_of(StatisticId statistic);

/// All statistics that have an interval, in the order of their declarations.
std::vector<StatisticId> statistics_with_interval();

/// Of `statistic`, which has an interval: its half-width over the statistic, 0 where the half-width is. NaN
/// where the run has no such interval, or the statistic is 0 or infinite.
double relative_half_width(const RunStatistics& statistics, StatisticId statistic);

/// Whether the run has an interval as narrow as that. A saturated run never has: its numbers depend on its
/// length.
bool reaches(const RunStatistics& statistics, const PrecisionTarget& target);
/// Likewise all of `targets`.
bool reaches(const RunStatistics& statistics, const std::vector<PrecisionTarget>& targets);

/// How many measured requests the least precise of `targets` is going to need: half-widths shrink with the
/// square root of their number. 0 where no target has an interval yet.
double needed_requests(const RunStatistics& statistics, const std::vector<PrecisionTarget>& targets);

}  // namespace fluidbatch::sim
