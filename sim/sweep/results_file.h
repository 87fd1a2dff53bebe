// The results of a sweep in one SQLite file. Its tables are described in docs/sweeps.md.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "sim/sweep/sqlite.h"
#include "sim/sweep/sweep_file.h"

namespace fluidbatch::sim {

/// One system under one setting with one seed, and what came of it.
struct Point {
  std::int64_t number = 0;
  std::size_t setting = 0;
  std::string system;
  int replication = 0;
  std::uint64_t seed = 0;
};

struct PointResult {
  std::string error;  ///< empty where the point has succeeded; otherwise only this counts
  std::string policy;
  std::string npu;
  std::string npu_mode;
  std::string network;
  std::string configuration;  ///< resolved, YAML
  RunStatistics statistics;
};

/// How and where a point was run: outside of every comparison of results.
struct PointRun {
  std::string host;
  std::int64_t process = 0;
  std::string started;  ///< UTC, ISO 8601
  double wall_s = 0;
  double processor_s = 0;
};

class ResultsFile {
 public:
  /// Makes a file for `sweep`, which must not be there yet.
  static ResultsFile create(const std::filesystem::path& file, const Sweep& sweep);
  /// Opens one for adding to it; one in which nothing is yet gets its tables. Throws InputError where it was
  /// made from another sweep or by another version.
  static ResultsFile open(const std::filesystem::path& file, const Sweep& sweep);

  /// Numbers of the points that have succeeded, each with its value of `of`.
  [[nodiscard]] std::map<std::int64_t, double> finished(StatisticId of);

  /// One transaction: replaces a result of that number which is there.
  void add(const Point& point, const PointResult& result, const PointRun& run);

  /// Makes one file of it all, without a log beside it.
  void close();

  /// Puts the points of several files of one sweep together. Throws InputError where they are of different
  /// sweeps, or have the same point with different results. Returns the number of points.
  static std::int64_t merge(const std::vector<std::filesystem::path>& files,
                            const std::filesystem::path& out);

 private:
  explicit ResultsFile(Database database) : database_(std::move(database)) {}

  Database database_;
};

/// Throws InputError where `database` is not the results of a sweep, or of another format.
void require_results_file(Database& database);

}  // namespace fluidbatch::sim
