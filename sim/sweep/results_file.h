// The results of a sweep in one SQLite file. Its tables are described in docs/sweeps.md.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "sim/measure/statistics.h"
#include "sim/sweep/results_schema.h"
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
  std::vector<double> tail;  ///< of tail_columns; empty where there is none
  /// Names of what the parts of a site's statistics are of.
  std::vector<std::string> services = {};
  std::vector<std::string> npus = {};
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
  /// Makes a file for `sweep`, which must not exist yet and outlives it.
  static ResultsFile create(const std::filesystem::path& file, const Sweep& sweep,
                            const Provenance& provenance);
  /// Opens one for adding to it; one in which nothing is yet gets its tables. Throws InputError where it is
  /// of another sweep, of another version, or of other contents of the files that its configurations name.
  static ResultsFile open(const std::filesystem::path& file, const Sweep& sweep,
                          const Provenance& provenance);

  /// Numbers of the points that have succeeded, each with its value of `of`.
  [[nodiscard]] std::map<std::int64_t, double> finished(StatisticId of);

  /// One transaction, with the values of the point's setting and the parts of a site: replaces a result of
  /// that number which is there.
  void add(const Point& point, const PointResult& result, const PointRun& run);

  /// Makes one file of it all, without a log beside it.
  void close();

 private:
  ResultsFile(Database database, const Sweep& sweep) : database_(std::move(database)), sweep_(&sweep) {}

  void add_parts(std::int64_t point, const char* kind, const std::vector<RunStatistics>& parts,
                 const std::vector<std::string>& names);
  void bind_tail(Query& row, const PointResult& result) const;
  void add_setting(std::size_t setting);

  Database database_;
  const Sweep* sweep_;
};

}  // namespace fluidbatch::sim
