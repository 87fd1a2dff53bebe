// One point of a sweep: run in a child process, and what comes back through its pipe.
#pragma once

#include <optional>
#include <string>

#include "sim/drive/child_process.h"
#include "sim/drive/driver.h"
#include "sim/sweep/results_file.h"
#include "sim/sweep/sweep_plan.h"
#include "workloads/io/files_read.h"

namespace fluidbatch::sim {

struct PointTask {
  const Sweep& sweep;
  const Pair& pair;
  int replication = 0;
  std::optional<Driver> driver;  ///< that was asked for
  const io::FileHashes& files;   ///< that the plan has read
};

/// Runs a point, in a child; returns what point_result reads. Throws InputError where a file that the
/// configuration names has changed since the plan.
std::string simulate_point(const PointTask& task, ModelCache& cache);

/// What a child has sent; its times and process go into `run`.
PointResult point_result(const ChildOutcome& outcome, PointRun& run);

}  // namespace fluidbatch::sim
