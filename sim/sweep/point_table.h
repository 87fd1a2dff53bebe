// The finished points of a results file, and how many of the sweep's points they are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "sim/sweep/point_metric.h"

namespace fluidbatch::sim {

/// Where a sweep is.
struct SweepState {
  std::int64_t done = 0;  ///< points
  std::int64_t failed = 0;
  std::int64_t planned = 0;        ///< all points
  bool at_least = false;           ///< `planned` may grow: replications go on until an interval is narrow
  std::int64_t missing_pairs = 0;  ///< of setting and system, of which no point is done

  [[nodiscard]] bool unfinished() const { return done < planned; }
};

struct FinishedPoint {
  std::vector<std::string> values;  ///< by `PointTable::keys`
  int replication = 0;
  bool all_replications = false;  ///< its setting and system have as many as the sweep asks for
  bool saturated = false;
  double requests = 0;  ///< measured
  double drop_rate = 0;
  std::vector<double> metrics;      ///< in the order asked for; NaN where not defined
  std::vector<double> half_widths;  ///< of the 95 % interval that the point itself has of each; NaN: none
};

struct PointTable {
  /// "system", then those of the axes, then the kind of the parts where the rows are parts of points.
  std::vector<std::string> keys;
  std::vector<FinishedPoint> points;
  SweepState state;
};

/// What can be read of a results file.
struct ResultsContents {
  std::vector<PointMetric> metrics;     ///< that points can be compared by
  std::vector<std::string> part_kinds;  ///< of which some point has parts: `npu`, `service`
};

/// Throws InputError.
ResultsContents contents_of(const std::filesystem::path& file);

/// What points can be compared by: `system`, the keys of axes, and kinds of parts. Throws InputError.
std::vector<std::string> keys_in(const std::filesystem::path& file);

/// The values that one of those has at the finished points, each once. Throws InputError.
std::vector<std::string> values_in(const std::filesystem::path& file, const std::string& key);

/// `metrics`: some of contents_of. With a kind of parts: a row for each of them instead of each point, with
/// statistics alone for metrics. Throws InputError, also where no point is done.
PointTable read_points(const std::filesystem::path& file, const std::vector<PointMetric>& metrics,
                       const std::string& part_kind = "");

}  // namespace fluidbatch::sim
