// What the outputs of a run are told of its scenario: the shapes of its tables, what resolved.yaml holds, and
// where everything goes.
#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

#include "scheduler/slo.h"
#include "sim/output/requests_csv.h"
#include "sim/output/run_folder.h"
#include "sim/output/series.h"
#include "sim/output/timeline.h"
#include "workloads/io/yaml_node.h"

namespace fluidbatch::sim {

struct Scenario;
struct System;

/// By service.
std::vector<scheduler::Slo> slos_of(const Scenario& scenario);

RequestsCsvShape csv_shape(const Scenario& scenario, const System& system);
Series::Exits series_exits(const Scenario& scenario, const System& system);
/// Of system `index`; refers to its tables.
TimelineShape timeline_shape(const Scenario& scenario, std::size_t index);

/// `resolved` with system `index` alone, and with the length and the warm-up that were found (settle.h): they
/// are those of all systems, which one alone need not find.
io::Node resolved_system(const io::Node& resolved, const Scenario& scenario, std::size_t index);

/// What a run has to do with files.
struct RunFiles {
  std::filesystem::path folder;         ///< where the outputs go
  std::filesystem::path configuration;  ///< that was read, which no output replaces; empty where none was
  const io::Node& resolved;  ///< the configuration with every default, which names the other inputs
};

RunFolder::Request folder_request(const Scenario& scenario, const RunFiles& files);

}  // namespace fluidbatch::sim
