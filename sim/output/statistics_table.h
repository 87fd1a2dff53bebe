// The statistics of a run's systems as a table.
#pragma once

#include <vector>

#include "sim/measure/statistics.h"
#include "sim/output/table_json.h"

namespace fluidbatch::sim {

struct Scenario;

/// A row for each system, and after it, of sites, one for each service and one for each NPU where there are
/// several: what summary.json has of it, all statistics with NaN where one is not defined. `results` by
/// system. Beside the cells, the exit shares of each: none of those of a site's systems and NPUs.
NamedTable statistics_table(const Scenario& scenario, const std::vector<RunStatistics>& results);

}  // namespace fluidbatch::sim
