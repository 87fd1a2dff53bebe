// One system under one workload, from start to statistics, in this process.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "sim/drive/driver.h"
#include "sim/measure/recorder.h"
#include "sim/measure/statistics.h"

namespace fluidbatch::sim {

struct Scenario;
struct System;

/// Simulates `system`. `sink` (may be empty) is given every request whose stay has ended, in order of its
/// number; `observers` see the run too. The SimGrid driver works once per process (engine.h). Throws
/// InvariantViolation, and io::InputError where the driver does not go with the uplink (driver_choice.h) or
/// where dates that nobody could foresee are too late for doubles.
RunStatistics simulate(const Scenario& scenario, const System& system, Driver driver,
                       const Recorder::RequestSink& sink, std::atomic<std::uint64_t>* progress,
                       const std::vector<Observer*>& observers = {});

}  // namespace fluidbatch::sim
