// A run: every system of a configuration on the same requests, each in a process of its own.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

#include "sim/drive/driver.h"
#include "sim/measure/statistics.h"
#include "sim/output/timeline.h"
#include "workloads/io/yaml_node.h"

namespace fluidbatch::sim {

struct Scenario;

/// How a run is driven, and what it writes.
struct RunOptions {
  std::optional<std::filesystem::path> folder;  ///< where the outputs go; none are written without
  std::filesystem::path configuration;          ///< the file that was read, which no output replaces
  io::Node resolved;                            ///< the configuration with every default, for resolved.yaml
  bool requests_csv = true;
  bool named_after_configuration = false;  ///< the folder is, so it is kept for that configuration
  Driver driver = Driver::simgrid;
  std::optional<TimelineOptions> timeline;  ///< write timeline.json, of all systems
  std::optional<double> series_s;           ///< write series.csv, with rows this far apart
  /// Told now and then how many requests each system has completed, in a trial too; may be empty.
  std::function<void(const std::vector<std::uint64_t>&)> progress;
  /// Told of an open scenario as it is going to run, once trials have settled it and before the run; may be
  /// empty. What it throws ends the run.
  std::function<void(const Scenario&)> settled;
};

/// Simulates all systems, after having settled the scenario where it is open (settle.h); their statistics in
/// the order of the configuration. With a folder, each system's run directory is made in it, once all have
/// run: resolved.yaml, summary.json, requests.csv, and what the options ask for, a timeline beside them; an
/// earlier run's are removed (sim/output/run_folder.h). Throws io::InputError where the outputs can't be
/// written, std::runtime_error where a simulation failed; the folder is then as it was.
std::vector<RunStatistics> run_systems(const Scenario& scenario, const RunOptions& options);

}  // namespace fluidbatch::sim
