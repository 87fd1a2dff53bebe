#include "sim/run/optimum.h"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <utility>

#include "scheduler/optimum/decision_process.h"
#include "sim/scenario/scenario.h"

namespace fluidbatch::sim {
namespace {

constexpr double kNever_s = std::numeric_limits<double>::infinity();

int max_batch_of(const System& system) { return system.policy->traits(system.parameters).max_batch; }

std::optional<NoOptimum> objection_to_workload(const Scenario& scenario) {
  const auto objection = [](const char* key, const char* reason) {
    return NoOptimum{.reason = reason, .of_workload = true, .key = key};
  };
  if (!scenario.devices.are_poisson())
    return objection("arrivals", "an optimum is known for Poisson arrivals only");
  if (!scenario.service().exits->are_independent()) {
    return objection("exits", "an optimum is known only where each sample leaves independently of others");
  }
  if (scenario.uplink.model != workloads::UplinkSpec::Model::none) {
    return objection("uplink", "an optimum is known only without an uplink, after which nothing is Poisson");
  }
  return std::nullopt;
}

/// The first system that has the same optimum as system `index`, which nothing speaks against.
std::size_t first_alike(const Scenario& scenario, std::size_t index) {
  const System& system = scenario.systems[index];
  std::size_t first = 0;
  while (first < index) {
    const System& other = scenario.systems[first];
    const bool has_one = !objection_to_optimum(scenario, other);  // and so one NPU, of which it is
    if (has_one && other.table() == system.table() && max_batch_of(other) == max_batch_of(system)) break;
    ++first;
  }
  return first;
}

/// `compute()`, or nothing and why, which goes to `missing`.
template <typename Compute>
auto computed(const char* what, std::vector<NoOptimum>& missing, const Compute& compute)
    -> std::optional<decltype(compute())> {
  const auto note = [&](const std::exception& error) {
    missing.push_back({.reason = std::string(what) + ": " + error.what(), .of_workload = false, .key = ""});
  };
  try {
    return compute();
  } catch (const scheduler::UnstableLoad& error) {
    note(error);
  } catch (const scheduler::OptimumTooLarge& error) {
    note(error);
  } catch (const std::invalid_argument& error) {  // a segment that takes no time
    note(error);
  }
  return std::nullopt;
}

constexpr double kQuick_s = 1;

/// Seconds that free_optimum takes, roughly; infinity where the load can't be carried. The work goes with the
/// configurations of those in flight and their actions, and with the square of the queue's length, which
/// goes with the inverse of what the load leaves free. Fitted to networks of four segments, 1 to 24 in
/// flight, loads of 0.05 to 0.98, with others on the machine: where it says 1 s, it was 0.3 to 0.7 s of
/// processor time, and 1.3 s at worst, of one segment at a load of 0.995.
double expected_time_s(const scheduler::OptimumProblem& problem) {
  constexpr double kTimePerAction_s = 4e-6;
  constexpr double kLeast = 8;
  const auto segments = static_cast<int>(problem.exit_rates.size()) + 1;
  const double actions =
      scheduler::smdp::free_configurations(segments, problem.max_batch) * (problem.max_batch + 4.0);
  if (kTimePerAction_s * actions * kLeast > kQuick_s) return kNever_s;  // the capacity takes its time, too
  std::vector<NoOptimum> missing;
  const auto capacity_hz = computed("free", missing, [&] { return free_capacity_hz(problem); });
  const double idle = capacity_hz ? 1 - problem.rate_hz / *capacity_hz : 0;
  if (!(idle > 0)) return kNever_s;
  return kTimePerAction_s * actions * std::max(kLeast, 1 / (idle * idle));
}

SystemOptimum optimum_of(const Scenario& scenario, std::size_t index,
                         const scheduler::WhileComputing& while_computing) {
  SystemOptimum result;
  result.first = index;
  const scheduler::OptimumProblem problem = optimum_problem(scenario, scenario.systems[index]);
  result.free = computed("free", result.missing, [&] { return free_optimum(problem, while_computing); });
  result.fbe = computed("fbe", result.missing, [&] { return fbe_optimum(problem, while_computing); });
  return result;
}

}  // namespace

std::optional<NoOptimum> objection_to_optimum(const Scenario& scenario, const System& system) {
  if (scenario.services.size() > 1)
    return NoOptimum{
        .reason = "an optimum is known for one service only", .of_workload = true, .key = "devices"};
  if (auto objection = objection_to_workload(scenario)) return objection;
  const auto objection = [](const char* key, const char* reason) {
    return NoOptimum{.reason = reason, .of_workload = false, .key = key};
  };
  if (system.npus.size() > 1) return objection("npus", "an optimum is known for one NPU only");
  if (system.drop_hopeless) return objection("drop", "an optimum is known only where all are answered");
  if (system.preemption_cost_s > 0)
    return objection("preemption_cost_s", "an optimum is known only where preemptions cost nothing");
  if (system.decides_exits())
    return objection("exit_control", "an optimum is known only where nothing changes exits at run time");
  if (system.policy->traits(system.parameters).oracle)
    return objection("policy", "an optimum is known only for policies that don't know exits beforehand");
  return std::nullopt;
}

scheduler::OptimumProblem optimum_problem(const Scenario& scenario, const System& system) {
  return {.table = *system.table(),
          .exit_rates = scenario.service().exits->rates(),
          .rate_hz = scenario.devices.mean_rate_hz(),
          .max_batch = max_batch_of(system)};
}

bool decides_at_layers(const System& system) {
  return system.policy->traits(system.parameters).boundary == scheduler::Boundary::layer;
}

double distance_to_optimum(const RunStatistics& run, double mean_s) {
  if (run[StatisticId::drop_rate] > 0) return std::numeric_limits<double>::quiet_NaN();
  return run[StatisticId::mean_latency] / mean_s;
}

std::vector<SystemOptimum> optima_of(const Scenario& scenario,
                                     const scheduler::WhileComputing& while_computing) {
  std::vector<SystemOptimum> optima;
  for (std::size_t i = 0; i < scenario.systems.size(); ++i) {
    if (auto objection = objection_to_optimum(scenario, scenario.systems[i])) {
      optima.push_back({.first = i, .free = {}, .fbe = {}, .missing = {std::move(*objection)}});
      continue;
    }
    const std::size_t first = first_alike(scenario, i);
    optima.push_back(first < i ? optima[first] : optimum_of(scenario, i, while_computing));
  }
  return optima;
}

std::vector<double> quick_free_means_s(const Scenario& scenario) {
  std::vector<double> means_s(scenario.systems.size(), std::numeric_limits<double>::quiet_NaN());
  bool any = false;
  double spent_s = 0;
  for (std::size_t i = 0; i < scenario.systems.size(); ++i) {
    if (objection_to_optimum(scenario, scenario.systems[i])) continue;
    any = true;
    const std::size_t first = first_alike(scenario, i);
    if (first < i) {
      means_s[i] = means_s[first];
      continue;
    }
    const scheduler::OptimumProblem problem = optimum_problem(scenario, scenario.systems[i]);
    const double more_s = expected_time_s(problem);
    if (spent_s + more_s > kQuick_s) continue;
    spent_s += more_s;
    std::vector<NoOptimum> missing;
    if (const auto optimum = computed("free", missing, [&] { return free_optimum(problem); })) {
      means_s[i] = optimum->mean_latency_s;
    }
  }
  if (!any) means_s.clear();
  return means_s;
}

}  // namespace fluidbatch::sim
