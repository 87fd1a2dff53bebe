#include "sim/measure/precision.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>

#include "sim/measure/statistics.h"

namespace fluidbatch::sim {
namespace {

constexpr std::string_view kSeconds = "_s";
constexpr std::string_view kInterval = "_ci95";

/// What the half-width of the interval of the statistic called `name` would be called.
std::string half_width_name(std::string_view name) {
  if (!name.ends_with(kSeconds)) return std::string(name) + std::string(kInterval);
  name.remove_suffix(kSeconds.size());
  return std::string(name) + std::string(kInterval) + std::string(kSeconds);
}

}  // namespace

std::optional<StatisticId> half_width_of(StatisticId statistic) {
  const auto all = all_statistics();
  const std::string wanted = half_width_name(all[static_cast<std::size_t>(statistic)].name);
  const auto found = std::ranges::find_if(all, [&](const Statistic& other) { return other.name == wanted; });
  if (found == all.end()) return std::nullopt;
  return found->id;
}

std::vector<StatisticId> statistics_with_interval() {
  std::vector<StatisticId> found;
  for (const Statistic& statistic : all_statistics()) {
    if (half_width_of(statistic.id)) found.push_back(statistic.id);
  }
  return found;
}

double relative_half_width(const RunStatistics& statistics, StatisticId statistic) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  const std::optional<StatisticId> interval = half_width_of(statistic);
  if (!interval) return kNone;
  const double value = statistics[statistic];
  const double half_width = statistics[*interval];
  if (half_width == 0) return 0;
  return value != 0 && std::isfinite(value) ? half_width / std::abs(value) : kNone;
}

bool reaches(const RunStatistics& statistics, const PrecisionTarget& target) {
  // Not so where it is NaN.
  return !statistics.saturated &&
         relative_half_width(statistics, target.statistic) <= target.relative_half_width;
}

bool reaches(const RunStatistics& statistics, const std::vector<PrecisionTarget>& targets) {
  return std::ranges::all_of(targets,
                             [&](const PrecisionTarget& target) { return reaches(statistics, target); });
}

double needed_requests(const RunStatistics& statistics, const std::vector<PrecisionTarget>& targets) {
  double needed = 0;
  for (const PrecisionTarget& target : targets) {
    const double times = relative_half_width(statistics, target.statistic) / target.relative_half_width;
    if (!std::isnan(times)) needed = std::max(needed, statistics[StatisticId::requests] * times * times);
  }
  return needed;
}

}  // namespace fluidbatch::sim
