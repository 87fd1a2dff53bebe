// Results of a sweep side by side.
#pragma once

#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "sim/measure/confidence.h"
#include "sim/sweep/point_metric.h"
#include "sim/sweep/point_table.h"

namespace fluidbatch::sim {

/// One metric of one column under one row's values: over its replications.
struct ComparedCell {
  std::size_t column = 0;
  std::size_t replications = 0;
  bool all_replications = false;  ///< as many as the sweep asks for
  /// NaN where the metric is not defined in one of them. Of one replication, its own interval, if it has one.
  Interval value;
  /// Of a share of requests that none was counted in: `none_of` all of them. Otherwise NaN.
  double upper = std::numeric_limits<double>::quiet_NaN();
  /// To the first column, over the replications that both have; the base's own is 1. Without an interval
  /// where either is saturated. Of shares of requests it is one-sided where none was counted in one of the
  /// two: `high` where that is this one; `low`, and no ratio, where it is the base (none_against).
  RatioInterval ratio;
  std::size_t pairs = 0;        ///< replications that the ratio is of
  bool best = false;            ///< see Comparison
  bool saturated = false;       ///< at least one replication was
  bool base_saturated = false;  ///< of the first column's
  double drop_rate = 0;         ///< mean
};

struct ComparedRow {
  std::vector<std::string> values;  ///< of `Comparison::axes`
  std::vector<ComparedCell>
      cells;  ///< in the order of their columns; of a point that is not done there is none
};

/// A metric over all points of a file: a column for each value of one axis (or system), a row for each
/// combination of the others. The best cell of a row is marked (lower or higher, as the metric wants it)
/// where all columns have all their replications and, for a metric that leaves dropped requests out, all
/// drop as many.
struct Comparison {
  PointMetric metric;
  std::vector<std::string> axes;     ///< that more than one value was given for, without the columns' one
  std::vector<std::string> columns;  ///< the values of `by`; the base first
  std::vector<ComparedRow> rows;
  bool of_parts = false;  ///< the columns are services or NPUs of the same sites, of which none is the best
};

struct Comparisons {
  SweepState state;
  std::vector<Comparison> of;  ///< each metric
};

/// How messages call what was asked for.
struct CompareWords {
  const char* metric = "--metric";
  const char* by = "--by";
  const char* base = "--base";
};

/// Reads `file` (of a sweep). `metrics` are names (contents_of); `by` is `system`, a key of an axis or,
/// where sites have several of them, `service` or `npu`; `base`
/// one of its values, or empty: the first. Throws InputError.
Comparisons compare_results(const std::filesystem::path& file, const std::string& by,
                            const std::vector<std::string>& metrics, const std::string& base,
                            const CompareWords& words = {});

/// Whether any cell has a value.
bool is_defined_somewhere(const Comparison& comparison);

/// Why a metric may have no value.
const char* defined_where(const PointMetric& metric);

/// How many points are done, as a line with its end; nothing where all are.
std::string unfinished_text(const SweepState& state);

}  // namespace fluidbatch::sim
