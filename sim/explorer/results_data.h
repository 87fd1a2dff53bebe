// All points of a results file, as the columns of a page.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "sim/explorer/configurations.h"
#include "sim/sweep/point_table.h"
#include "sim/sweep/replications.h"

namespace fluidbatch::sim {

/// Rows: the points that are in the file, in order, then the services and NPUs of those that are sites, then
/// the pairs of setting and system that it has nothing of.
struct ResultsData {
  std::vector<PointMetric> metrics;
  /// "system", those of the axes and, where points have parts, "part": `whole`, `service NAME`, `NPU 0`.
  std::vector<std::string> keys;
  SweepState state;
  Replications replications;

  std::vector<double> numbers;                   ///< of the points
  std::vector<std::string> status;               ///< done, failed, missing
  std::vector<std::vector<std::string>> values;  ///< by key
  std::vector<double> replication;               ///< NaN: missing
  std::vector<std::string> seeds;                ///< beyond what a double holds
  std::vector<std::string> messages;             ///< of the failed
  std::vector<double> saturated;                 ///< 1 or 0; NaN where not done, here and below
  std::vector<double> all_replications;          ///< 1: the setting and system have as many as was asked for
  std::vector<std::vector<double>> statistics;   ///< by metric
  std::vector<std::vector<double>> exit_shares;  ///< by exit
  Configurations configurations;

  [[nodiscard]] std::size_t rows() const { return numbers.size(); }
};

/// Throws InputError, also where no point is done, or there are more than `most`.
ResultsData read_results(const std::filesystem::path& file, std::size_t most);

}  // namespace fluidbatch::sim
