// What a scenario leaves open, found by trial runs: how long a run to a precision is, and its warm-up.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <type_traits>
#include <vector>

#include "sim/measure/run_watch.h"
#include "sim/measure/statistics.h"
#include "sim/measure/warmup.h"

namespace fluidbatch::sim {

struct Scenario;
struct System;

/// What a trial run of one system tells.
struct Trial {
  RunStatistics statistics;
  Warmup warmup;  ///< where the scenario asks for it
};

/// All fields of `trial`, for `visit`.
template <typename Self, typename Visit>
requires std::same_as<std::remove_const_t<Self>, Trial>
void fields(Self& trial, Visit& visit) {
  auto& [statistics, warmup] = trial;
  visit(statistics, warmup.requests, warmup.at_end);
}

/// Runs `system` as long as `scenario` says, with its warm-up left out; where that is automatic, finds it
/// too. `watch` as SimulationOptions.
Trial run_trial(const Scenario& scenario, const System& system, RunWatch* watch = nullptr);

/// Runs a trial of each system that counts.
using RunTrials = std::function<std::vector<Trial>(const Scenario& scenario)>;

/// Settles the length and the warm-up of `scenario`, where they are open:
///
/// - With `until`, it ends at the first stage (stages.h) at which all systems have reached all precisions, or
///   at the last one. That is the longest that is allowed, or all that a trace or a list of exits has.
/// - An automatic warm-up is that of all systems together, the longest that MSER-5 finds for any; with
///   `until`, it is found anew at each stage.
///
/// So the run that follows is the same, byte by byte, as one for which these numbers are given. Trials are
/// run by the plain loop, which gives what all drivers give, links of SimGrid's computed as `analytic`. They
/// depend on nothing but the scenario.
void settle(Scenario& scenario, const RunTrials& run_trials);

/// The same for `system` alone, in this process. `watch` as SimulationOptions.
void settle(Scenario& scenario, const System& system, RunWatch* watch = nullptr);

}  // namespace fluidbatch::sim
