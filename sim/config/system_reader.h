// One of the systems of a configuration.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "sim/config/model_cache.h"
#include "sim/config/services_reader.h"
#include "sim/config/table_budget.h"
#include "sim/scenario/scenario.h"
#include "workloads/io/map_reader.h"

namespace fluidbatch::sim {

/// What systems of one configuration share; all of it must outlive the reading.
struct SystemContext {
  const Scenario& scenario;  ///< with its services and devices
  const ServicesReader& services;
  const NpuChoice& npu;  ///< of those that name none
  ModelCache& cache;
  std::vector<std::string>& warnings;
  TableBudget& budget;
};

/// A system, and its map with the defaults. Throws InputError.
std::pair<System, io::Node> read_system(const io::Node& node, const SystemContext& context);

}  // namespace fluidbatch::sim
