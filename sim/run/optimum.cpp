#include "sim/run/optimum.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <stdexcept>

#include "sim/scenario/scenario.h"

namespace fluidbatch::sim {
namespace {

int max_batch_of(const System& system) { return system.policy->traits(system.parameters).max_batch; }

std::optional<NoOptimum> objection_to_workload(const Scenario& scenario) {
  const auto objection = [](const char* key, const char* reason) {
    return NoOptimum{.reason = reason, .of_workload = true, .key = key};
  };
  if (!scenario.devices.are_poisson())
    return objection("arrivals", "an optimum is known for Poisson arrivals only");
  if (!scenario.exits->are_independent()) {
    return objection("exits", "an optimum is known only where each sample leaves independently of others");
  }
  if (scenario.uplink.model != workloads::UplinkSpec::Model::none) {
    return objection("uplink", "an optimum is known only without an uplink, after which nothing is Poisson");
  }
  return std::nullopt;
}

/// Whether the same optimum is that of both.
bool same_problem(const System& a, const System& b) {
  return a.table == b.table && max_batch_of(a) == max_batch_of(b);
}

/// `compute()`, or nothing and why, which goes to `missing`.
template <typename Compute>
auto computed(const char* what, std::vector<NoOptimum>& missing, const Compute& compute)
    -> std::optional<decltype(compute())> {
  const auto note = [&](const std::exception& error) {
    missing.push_back(
        {.reason = std::string(what) + ": " + error.what(), .of_workload = false, .key = ""});
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

SystemOptimum optimum_of(const Scenario& scenario, const System& system) {
  SystemOptimum result;
  const scheduler::OptimumProblem problem = optimum_problem(scenario, system);
  result.free = computed("free", result.missing, [&] { return free_optimum(problem); });
  result.fbe = computed("fbe", result.missing, [&] { return fbe_optimum(problem); });
  return result;
}

}  // namespace

std::optional<NoOptimum> objection_to_optimum(const Scenario& scenario, const System& system) {
  if (auto objection = objection_to_workload(scenario)) return objection;
  const auto objection = [](const char* key, const char* reason) {
    return NoOptimum{.reason = reason, .of_workload = false, .key = key};
  };
  if (system.drop_hopeless) return objection("drop", "an optimum is known only where all are answered");
  if (system.preemption_cost_s > 0)
    return objection("preemption_cost_s", "an optimum is known only where preemptions cost nothing");
  if (system.exit_control != nullptr)
    return objection("exit_control", "an optimum is known only where nothing changes exits at run time");
  if (system.policy->traits(system.parameters).oracle)
    return objection("policy", "an optimum is known only for policies that don't know exits beforehand");
  return std::nullopt;
}

scheduler::OptimumProblem optimum_problem(const Scenario& scenario, const System& system) {
  return {.table = *system.table,
          .exit_rates = scenario.exits->rates(),
          .rate_hz = scenario.devices.mean_rate_hz(),
          .max_batch = max_batch_of(system)};
}

bool decides_at_layers(const System& system) {
  return system.policy->traits(system.parameters).boundary == scheduler::Boundary::layer;
}

std::vector<SystemOptimum> optima_of(const Scenario& scenario) {
  std::vector<SystemOptimum> optima;
  for (std::size_t i = 0; i < scenario.systems.size(); ++i) {
    const System& system = scenario.systems[i];
    if (auto objection = objection_to_optimum(scenario, system)) {
      optima.push_back({.free = {}, .fbe = {}, .missing = {std::move(*objection)}});
      continue;
    }
    const auto known = std::find_if(optima.begin(), optima.end(), [&](const SystemOptimum& other) {
      const System& owner = scenario.systems[static_cast<std::size_t>(&other - optima.data())];
      return !objection_to_optimum(scenario, owner) && same_problem(owner, system);
    });
    optima.push_back(known != optima.end() ? *known : optimum_of(scenario, system));
  }
  return optima;
}

}  // namespace fluidbatch::sim
