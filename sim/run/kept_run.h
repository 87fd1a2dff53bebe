// A run whose outputs stay in memory: for programs that go on with them.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "sim/drive/driver.h"
#include "sim/measure/run_watch.h"
#include "sim/measure/statistics.h"
#include "sim/output/request_row.h"
#include "sim/output/timeline.h"

namespace fluidbatch::sim {

struct RunFiles;
struct Scenario;

/// What is kept beside the statistics.
struct KeepOptions {
  bool requests = true;
  std::optional<double> series_s = {};                 ///< a row so far apart
  std::optional<std::filesystem::path> timeline = {};  ///< a file, since it is large and few read all of it
  TimelineOptions of_timeline = {};
};

/// What one system gave.
struct KeptRun {
  RunStatistics statistics;
  std::vector<RequestRow> requests;  ///< in order of request number; empty where they are not kept
  std::string series_csv;            ///< the text of series.csv; empty likewise
  bool has_requests = false;
};

/// Simulates system `index` in this process and thread, save with a driver of SimGrid's, for which a child is
/// forked. Any number of threads may do so at once. Throws what `simulate` does (simulation.h), and
/// std::runtime_error where a child failed.
KeptRun run_and_keep(const Scenario& scenario, std::size_t index, const KeepOptions& keep, Driver driver,
                     RunWatch& watch);

/// Writes what `run_systems` would have written into the folder of `files`: of all systems, in their order.
/// The timeline is joined from the systems' files, `timelines`, where they have one. Throws io::InputError;
/// the folder is then as it was.
void save_kept_runs(const Scenario& scenario, const RunFiles& files, const std::vector<const KeptRun*>& runs,
                    const std::vector<std::filesystem::path>& timelines);

}  // namespace fluidbatch::sim
