// The least mean latency that the systems of a scenario could have (scheduler/optimum), where there is a
// theory of it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "scheduler/optimum/optimum.h"
#include "sim/measure/statistics.h"

namespace fluidbatch::sim {

struct Scenario;
struct System;

/// Why there is no optimum of a system.
struct NoOptimum {
  std::string reason;
  bool of_workload = false;  ///< the key is one of `workload`, otherwise one of the system
  std::string key;           ///< of the configuration, that says so; empty where none does
};

/// What is outside of the theory: several services or NPUs, arrivals that are not Poisson, exits that are not
/// independent, an uplink, drops, a cost of preemptions, exits decided at run time, a policy that knows the
/// exits. Nothing where all is inside.
std::optional<NoOptimum> objection_to_optimum(const Scenario& scenario, const System& system);

/// For a system that nothing speaks against. As many may be in flight as its policy allows itself. Refers to
/// the system's table.
scheduler::OptimumProblem optimum_problem(const Scenario& scenario, const System& system);

/// Whether its policy decides between any two layers. The optima decide between segments, so they are no
/// bounds of its mean.
bool decides_at_layers(const System& system);

/// The mean latency of a run over `mean_s`, that of an optimum; NaN where requests were dropped, since an
/// optimum answers all.
double distance_to_optimum(const RunStatistics& run, double mean_s);

/// Both optima of a system, and why there is none where there is none.
struct SystemOptimum {
  std::size_t first = 0;  ///< number of the first system that has the same
  std::optional<scheduler::Optimum> free;
  std::optional<scheduler::FbeOptimum> fbe;
  std::vector<NoOptimum> missing;
};

/// Of each system; what several of them have in common is computed once.
std::vector<SystemOptimum> optima_of(const Scenario& scenario,
                                     const scheduler::WhileComputing& while_computing = {});

/// The free optimum's mean of each system, in seconds; NaN where there is none. What would take too long is
/// left out, from the first system on: all together take about a second, by an estimate that knows no clock.
/// Empty where all systems are outside of the theory.
std::vector<double> quick_free_means_s(const Scenario& scenario);

}  // namespace fluidbatch::sim
