// The configuration of a run, read strictly and complete: after this, nothing of the user's can be wrong.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "sim/config/model_cache.h"
#include "sim/scenario/least_npu_time.h"
#include "sim/scenario/scenario.h"
#include "workloads/io/installed_copy.h"

namespace fluidbatch::sim {

/// A scenario as configured, and what goes with it outside the simulation.
struct RunConfig : Scenario {
  std::vector<std::shared_ptr<const npu::BatchPolicyTable>> references;  ///< by service, at batch 1
  NpuChoice reference_choice;                                            ///< that these are the tables of
  int reference_max_batch = 8;  ///< largest batch of what loads are relative to
  bool write_requests_csv = true;
  std::vector<std::string> warnings;  ///< what is legal and yet unlikely to be meant, each with its place
  io::Node resolved;  ///< the whole configuration with every default; running it gives the same run

  /// What loads of a service are relative to. Makes a table of the reference for all its batch sizes. Throws
  /// InputError where a measured one lacks a cell.
  [[nodiscard]] LeastNpuTime least_npu_time(std::size_t service = 0) const;
};

/// Reads a configuration and all files that it names. Keys: docs/configuration.md. `overrides` are as for
/// `apply_override`, `plugins` as for `add_plugins`. Throws InputError.
RunConfig load_run_config(const std::filesystem::path& file, const std::vector<std::string>& overrides,
                          const std::vector<std::string>& plugins = {});
RunConfig read_run_config(const io::Node& document);
/// As above, taking networks and tables from `cache`.
RunConfig read_run_config(const io::Node& document, ModelCache& cache);

}  // namespace fluidbatch::sim
