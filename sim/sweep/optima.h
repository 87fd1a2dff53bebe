// The optima of all systems of a configuration beside what they do, and what there is to say of them.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "scheduler/optimum/fbe_table.h"
#include "sim/measure/statistics.h"
#include "sim/run/optimum.h"
#include "workloads/io/yaml_node.h"

namespace fluidbatch::sim {

struct RunConfig;

/// Of each system of `config`, the first of which is number `first` in the list of `document`, the
/// configuration as it was before it was read. Throws InputError, at the place that says so, where all are
/// outside of the theory, before anything is computed, or where there is no optimum of any; and what
/// `while_computing` throws.
std::vector<SystemOptimum> require_optima(const RunConfig& config, const io::Node& document,
                                          std::size_t first,
                                          const scheduler::WhileComputing& while_computing = {});

/// What the systems do. `config` becomes what they were run as, where it left its length or warm-up open.
/// `while_running` is called several times a second, and may be empty; what it throws ends the runs.
std::vector<RunStatistics> simulate_beside_optima(RunConfig& config,
                                                  const std::function<void()>& while_running = {});

/// What one system gives; NaN where something is not known.
struct OptimumRow {
  const System& system;
  const SystemOptimum& optimum;
  const RunStatistics& simulated;

  [[nodiscard]] double free_s() const;
  [[nodiscard]] double fbe_s() const;
  [[nodiscard]] double mean_s() const { return simulated[StatisticId::mean_latency]; }
  [[nodiscard]] double half_width_s() const { return simulated[StatisticId::mean_latency_ci95]; }
};

/// Why there is no optimum, or why one is no bound, a line each.
std::vector<std::string> optimum_remarks(const std::vector<OptimumRow>& rows);

/// The best decisions of a Fluid Batching Engine in the place of `system`, or with `own` those of its policy.
/// The first checks what can be before the optimum is known. Both throw InputError at `mark`, where they were
/// asked for.
void require_own_decisions(const System& system, const io::Mark& mark);
scheduler::FbeTable decision_table(const RunConfig& config, const System& system,
                                   const SystemOptimum& optimum, bool own, const io::Mark& mark);

}  // namespace fluidbatch::sim
