// One of each kind of systems, arrivals, exits: for what has to hold with all of them.
#pragma once

#include <vector>

#include "sim/scenario/arrival_processes.h"
#include "sim/scenario/builder.h"

namespace fluidbatch::test {

/// Exits that are decided at run time, by thresholds that move with every few requests.
std::vector<sim::SystemSpec> with_exit_control();

/// All policies, those with parameters that matter in several ways; for networks of four segments.
std::vector<sim::SystemSpec> all_systems();

/// Each kind once, most of them at more than a single NPU serves one by one.
std::vector<sim::ArrivalProcess> all_arrivals();

/// Models of exits: none, independent, alike, and of recorded confidences.
std::vector<sim::ScenarioBuilder> with_all_exits(const sim::ScenarioBuilder& base);

/// Over links that are shared.
sim::ScenarioBuilder through_uplink(const sim::ScenarioBuilder& base);

}  // namespace fluidbatch::test
