// summary.json: what one system gave, and what it was.
#pragma once

#include <string>

#include "sim/config/run_config.h"
#include "sim/statistics.h"

namespace fluidbatch::sim {

/// JSON text; numbers in their shortest form, a statistic that is not defined (or infinite) as null.
std::string summary_json(const RunConfig& config, const SystemConfig& system,
                         const RunStatistics& statistics);

}  // namespace fluidbatch::sim
