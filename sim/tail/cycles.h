// How the runs of a system are cut.
#pragma once

#include <cstdint>
#include <stdexcept>

namespace fluidbatch::sim {

struct RunWatch;
struct Scenario;
struct System;

/// The backlog of a system grows through the run: its tail depends on the length of the run.
class Saturated : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What runs are made of.
struct Cycles {
  std::uint64_t warmup_requests = 0;  ///< cycles that begin with one of these are not counted
  /// 0: a cycle ends when the system is empty. Otherwise with the event by which the main branch has served
  /// so many requests.
  std::uint64_t requests = 0;
};

/// Cycles between dates at which the system is empty or, where it hardly ever is, batches of requests; with
/// the scenario's warm-up where an empty system has not forgotten all. Found by a run. `watch` as
/// SimulationOptions. Throws Saturated, and what `simulate` throws.
Cycles cycles_of(const Scenario& scenario, const System& system, RunWatch* watch = nullptr);

}  // namespace fluidbatch::sim
