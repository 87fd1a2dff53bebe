#include "sim/sweep/point_metric.h"

#include "sim/sweep/tail_measure.h"

namespace fluidbatch::sim {
namespace {

bool counts_drops(StatisticId statistic) {
  switch (statistic) {
    case StatisticId::drop_rate:
    case StatisticId::slo_violation_rate:
    case StatisticId::goodput:
    case StatisticId::throughput:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::vector<PointMetric> point_metrics(const std::optional<TailOptions>& tail) {
  std::vector<PointMetric> metrics;
  for (const Statistic& statistic : all_statistics()) {
    metrics.push_back({.name = statistic.name,
                       .unit = statistic.unit,
                       .better = statistic.better,
                       .statistic = statistic.id,
                       .counts_drops = counts_drops(statistic.id),
                       .low = {},
                       .high = {}});
  }
  if (!tail) return metrics;
  const std::vector<TailColumn> columns = tail_columns(*tail);
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const bool is_value = columns[i].part == TailColumn::Part::value;
    metrics.push_back({.name = columns[i].name,
                       .unit = columns[i].unit,
                       .better = is_value ? Better::lower : Better::neither,
                       .statistic = std::nullopt,
                       .counts_drops = columns[i].of_requests,
                       .low = is_value ? columns[i + 1].name : "",
                       .high = is_value ? columns[i + 2].name : ""});
  }
  return metrics;
}

}  // namespace fluidbatch::sim
