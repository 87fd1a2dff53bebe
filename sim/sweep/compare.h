// Results of a sweep side by side.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "sim/statistics.h"
#include "sim/sweep/confidence.h"

namespace fluidbatch::sim {

/// One statistic of one column under one row's values: over its replications.
struct ComparedCell {
  std::size_t replications = 0;  ///< 0: there is no such point, or it has failed
  Interval value;
  RatioInterval ratio;  ///< to the first column, over the replications that both have; the base's own is 1
  bool best = false;    ///< no other column of the row is better (lower or higher, as the statistic wants it)
  bool saturated = false;  ///< at least one replication was
};

struct ComparedRow {
  std::vector<std::string> values;  ///< of `Comparison::axes`
  std::vector<ComparedCell> cells;  ///< by column
};

/// A statistic over all points of a file: a column for each value of one axis (or system), a row for each
/// combination of the others.
struct Comparison {
  const Statistic* statistic = nullptr;
  std::vector<std::string> axes;     ///< that more than one value was given for, without the columns' one
  std::vector<std::string> columns;  ///< the values of `by`; the base first
  std::vector<ComparedRow> rows;
};

/// Reads `file` (of a sweep). `by` is `system` or a key of an axis; `base` one of its values, or empty: the
/// first. Throws InputError.
std::vector<Comparison> compare_results(const std::filesystem::path& file, const std::string& by,
                                        const std::vector<std::string>& metrics, const std::string& base);

}  // namespace fluidbatch::sim
