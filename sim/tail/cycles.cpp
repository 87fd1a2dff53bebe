#include "sim/tail/cycles.h"

#include <algorithm>

#include "sim/run/settle.h"
#include "sim/run/simulation.h"
#include "sim/scenario/scenario.h"

namespace fluidbatch::sim {
namespace {

/// Looks at how often a system is empty in a run of `requests`, and whether its backlog grows meanwhile.
class Backlog final : public Observer {
 public:
  explicit Backlog(std::uint64_t requests) : requests_(requests) {}

  void admitted(scheduler::RequestId id, const scheduler::Request& /*request*/) override {
    ++in_system_;
    // In the second and in the last quarter: what is empty at first takes a while to fill.
    if (4 * id >= requests_ && 4 * id < 2 * requests_) earlier_ += in_system_;
    if (4 * id >= 3 * requests_) later_ += in_system_;
  }
  void departed(const scheduler::Request& /*request*/) override {
    times_empty_ += --in_system_ == 0 ? 1U : 0U;
  }

  [[nodiscard]] std::uint64_t times_empty() const { return times_empty_; }
  /// By half and more; linear growth makes seven thirds of it.
  [[nodiscard]] bool grows() const { return 2 * later_ > 3 * earlier_; }

 private:
  std::uint64_t requests_;
  std::uint64_t in_system_ = 0;
  std::uint64_t times_empty_ = 0;
  std::uint64_t earlier_ = 0;  // sums of what arrivals see
  std::uint64_t later_ = 0;
};

/// Whether an empty system has forgotten all: each time is then the beginning of a cycle that is independent
/// of those before, and of their kind.
bool forgets_when_empty(const Scenario& scenario, const System& system) {
  // What arbiters and routers remember is not looked into.
  return !scenario.is_site(system) && scenario.devices.are_poisson() &&
         scenario.service().exits->are_independent() &&
         scenario.uplink.model == workloads::UplinkSpec::Model::none && !system.decides_exits();
}

}  // namespace

Cycles cycles_of(const Scenario& scenario, const System& system, RunWatch* watch) {
  constexpr std::uint64_t kRequests = 100'000;
  constexpr std::uint64_t kOften = 200;
  constexpr std::uint64_t kBatch = 100;
  Scenario looked_at = scenario;
  looked_at.length = {.requests = kRequests};
  looked_at.until.clear();
  looked_at.compute_bounds = false;
  settle(looked_at, system, watch);  // an automatic warm-up
  Backlog backlog(kRequests);
  simulate(looked_at, system, {.observers = {&backlog}, .watch = watch});
  const bool is_often_empty = backlog.times_empty() >= kOften;
  if (!is_often_empty && backlog.grows()) {
    throw Saturated(
        "it is saturated: its backlog grew through " + std::to_string(kRequests) +
        " requests, so that it never is empty and begins anew, and its tail depends on the length "
        "of the run; a run of a length that matters (`run --until slo_violation_rate:0.05`) has "
        "intervals by batch means");
  }
  Cycles cycles;
  if (!forgets_when_empty(scenario, system)) cycles.warmup_requests = looked_at.warmup_requests;
  if (!is_often_empty) {
    cycles.requests = kBatch;
    cycles.warmup_requests = std::max<std::uint64_t>(looked_at.warmup_requests, 10 * kBatch);
  }
  return cycles;
}

}  // namespace fluidbatch::sim
