// Running the points of a sweep, on all cores.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>

#include "sim/drive/driver.h"
#include "sim/sweep/sweep_file.h"
#include "sim/sweep/sweep_plan.h"

namespace fluidbatch::sim {

struct SweepProgress {
  std::size_t done = 0;
  std::size_t planned = 0;  ///< so far: with `until` it can grow
  std::size_t failed = 0;
  double cost_done = 0;  ///< share of the expected cost, 0 to 1
};

struct SweepOptions {
  int jobs = 1;
  bool resume = false;
  Shard shard;
  std::optional<std::size_t> limit;  ///< start no more points than this
  std::optional<Driver> driver;      ///< that was asked for; see bulk_driver
  /// Told of the settings read so far, before each; may be empty. What it throws ends the planning.
  std::function<void(std::size_t)> planning;
  /// Called at least 20 times a second; may be empty. What it throws ends the sweep in order.
  std::function<void(const SweepProgress&)> progress;
  bool answers_signals =
      true;  ///< SIGINT, SIGTERM and SIGHUP end it in order; one sweep at a time may (stop_signals.h)
};

/// What a sweep would do.
struct SweepPlan {
  std::size_t settings = 0;
  std::size_t pairs = 0;   ///< of setting and system, in the shard
  std::size_t points = 0;  ///< with the least replications
  double requests = 0;     ///< of these points; NaN where a length is given in seconds and no rate is known
};

struct SweepOutcome {
  std::size_t run = 0;     ///< points that were run now
  std::size_t before = 0;  ///< that the file had already
  std::size_t failed = 0;  ///< of those that were run
  std::size_t left = 0;    ///< that the limit or a signal has left
  int stopped_by = 0;      ///< a signal that has ended it early, or 0
};

/// Reads the configurations (SettingReader), of the options' shard. Throws InputError for the first that is
/// wrong.
SweepPlan plan_sweep(const Sweep& sweep, const SweepOptions& options);

/// How messages call what was asked for.
struct OutWords {
  const char* out = "--out";
  const char* resume = "`--resume`";
};

/// Throws InputError where `file` can't take a sweep's results: it is a folder, or already exists and nobody
/// wants to go on with it.
void require_place_for_results(const std::filesystem::path& file, bool resume, const OutWords& words = {});

/// Runs what `file` lacks, longest points first, each in a child process. A point that fails is recorded with
/// its message, and tried again by the next `resume`. Where a signal or an exception of `progress` ends it in
/// order, what is finished is kept, what is at work is lost. Throws InputError where a configuration is
/// wrong, before anything is written, or where `file` can't be written, which loses nothing that was
/// finished.
SweepOutcome run_sweep(const Sweep& sweep, const std::filesystem::path& file, const SweepOptions& options);

}  // namespace fluidbatch::sim
