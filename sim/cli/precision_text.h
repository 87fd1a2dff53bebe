// What commands say of runs whose length or warm-up was found.
#pragma once

#include <string>
#include <vector>

#include "sim/measure/statistics.h"
#include "sim/scenario/scenario.h"

namespace fluidbatch::sim::cli {

/// Before a run: what it goes on to; empty where its length is given.
std::string precision_plan(const Scenario& scenario);

/// After it: where it stopped, and how precise each system's statistics are; likewise.
std::string precision_table(const Scenario& scenario, const std::vector<RunStatistics>& results);

}  // namespace fluidbatch::sim::cli
