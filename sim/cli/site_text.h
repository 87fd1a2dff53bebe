// What `run` shows of sites, their services and NPUs, and of the energy of any run.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "sim/measure/statistics.h"

namespace fluidbatch::sim {
struct RunConfig;
}

namespace fluidbatch::sim::cli {

/// Whether there is any to be shown.
bool has_energy(const RunStatistics& statistics);

/// The columns that add_energy fills: of a request, and on average.
inline constexpr std::array kEnergyHead{"mJ/req", "W"};
void add_energy(std::vector<std::string>& row, const RunStatistics& statistics);

/// Tables of how the systems that are sites fare against each request running alone, of each service where
/// there are several, and of each NPU likewise; empty where no system is a site. `results` by system.
std::string site_tables(const RunConfig& config, const std::vector<RunStatistics>& results);

}  // namespace fluidbatch::sim::cli
