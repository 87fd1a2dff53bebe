#include "sim/tail/cycles.h"

#include <algorithm>

#include "sim/run/settle.h"
#include "sim/run/simulation.h"
#include "sim/scenario/scenario.h"

namespace fluidbatch::sim {
namespace {

/// Counts the times that the system is empty.
class EmptyTimes final : public Observer {
 public:
  void admitted(scheduler::RequestId /*id*/, const scheduler::Request& /*request*/) override { ++in_system_; }
  void departed(const scheduler::Request& /*request*/) override { times_ += --in_system_ == 0 ? 1U : 0U; }
  [[nodiscard]] std::uint64_t times() const { return times_; }

 private:
  std::uint64_t in_system_ = 0;
  std::uint64_t times_ = 0;
};

/// Whether an empty system has forgotten all: each time is then the beginning of a cycle that is independent
/// of those before, and of their kind.
bool forgets_when_empty(const Scenario& scenario, const System& system) {
  return scenario.devices.are_poisson() && scenario.exits->are_independent() &&
         scenario.uplink.model == workloads::UplinkSpec::Model::none && system.exit_control == nullptr;
}

}  // namespace

Cycles cycles_of(const Scenario& scenario, const System& system) {
  constexpr std::uint64_t kRequests = 100'000;
  constexpr std::uint64_t kOften = 200;
  constexpr std::uint64_t kBatch = 100;
  Scenario looked_at = scenario;
  looked_at.length = {.requests = kRequests};
  looked_at.until.clear();
  looked_at.compute_bounds = false;
  settle(looked_at, system);  // an automatic warm-up
  EmptyTimes empty;
  const RunStatistics statistics = simulate(looked_at, system, {.observers = {&empty}});
  if (statistics.saturated) {
    throw Saturated(
        "it is saturated: its backlog grew through " + std::to_string(kRequests) +
        " requests, so that it never is empty and begins anew, and its tail depends on the length "
        "of the run; a run of a length that matters (`run --until slo_violation_rate:0.05`) has "
        "intervals by batch means");
  }
  Cycles cycles;
  if (!forgets_when_empty(scenario, system)) cycles.warmup_requests = looked_at.warmup_requests;
  if (empty.times() < kOften) {
    cycles.requests = kBatch;
    cycles.warmup_requests = std::max<std::uint64_t>(looked_at.warmup_requests, 10 * kBatch);
  }
  return cycles;
}

}  // namespace fluidbatch::sim
