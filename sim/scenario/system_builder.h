// A system of a scenario that is being built.
#pragma once

#include <vector>

#include "sim/scenario/latency_source.h"
#include "sim/scenario/scenario.h"
#include "sim/scenario/specs.h"

namespace fluidbatch::sim {

/// What a system runs on, and who decides exits, where its specification leaves it to the services.
struct ServiceDefaults {
  LatencySource latencies;
  std::string exit_control;  ///< empty: as the system says
  PolicyArguments exit_control_parameters;
};

/// The system of `spec`, the next one of `scenario`, which has its services and devices already. Throws
/// std::invalid_argument. `defaults`: by service.
System build_system(const SystemSpec& spec, const Scenario& scenario,
                    const std::vector<ServiceDefaults>& defaults);

}  // namespace fluidbatch::sim
