// What `run` shows of sites: their services and NPUs.
#pragma once

#include <string>
#include <vector>

#include "sim/measure/statistics.h"

namespace fluidbatch::sim {
struct RunConfig;
}

namespace fluidbatch::sim::cli {

/// Tables of how the systems that are sites fare against each request running alone, of each service where
/// there are several, and of each NPU likewise; empty where no system is a site. `results` by system.
std::string site_tables(const RunConfig& config, const std::vector<RunStatistics>& results);

}  // namespace fluidbatch::sim::cli
