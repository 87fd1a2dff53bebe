// What points can be compared by.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/measure/statistic.h"
#include "sim/tail/tail.h"

namespace fluidbatch::sim {

/// A column of numbers that every point has.
struct PointMetric {
  std::string name;
  std::string unit;
  Better better = Better::neither;
  std::optional<StatisticId> statistic;  ///< of the run; nothing for one of its tail
  /// Whether a dropped request counts in it, as late or as not completed: systems that drop and systems that
  /// don't can be compared by it.
  bool counts_drops = false;
  /// The columns with the ends of each point's own interval; empty where there are none.
  std::string low;
  std::string high;
};

/// The statistics and, where the sweep measures it, the tail's columns.
std::vector<PointMetric> point_metrics(const std::optional<TailOptions>& tail);

}  // namespace fluidbatch::sim
