// One system under one workload, from start to statistics, in this process.
#pragma once

#include <vector>

#include "sim/core/observer.h"
#include "sim/drive/driver.h"
#include "sim/measure/run_watch.h"
#include "sim/measure/statistics.h"

namespace fluidbatch::sim {

struct Scenario;
struct System;

/// How a simulation is driven, and who looks on.
struct SimulationOptions {
  Driver driver = Driver::bare;           ///< those of SimGrid work once per process (engine.h)
  std::vector<Observer*> observers = {};  ///< see the run; must outlive it
  RunWatch* watch = nullptr;              ///< where not null, sees the run too, and may stop it
};

/// Simulates `system`: one run of the scenario's length. Throws scheduler::PolicyError, InvariantViolation,
/// io::InputError where the driver does not go with the uplink (driver_choice.h) or where dates that nobody
/// could foresee are too late for doubles, RunStopped, and std::invalid_argument where the scenario is open:
/// `settle` (settle.h) says how long the run is then.
RunStatistics simulate(const Scenario& scenario, const System& system, const SimulationOptions& options = {});

}  // namespace fluidbatch::sim
