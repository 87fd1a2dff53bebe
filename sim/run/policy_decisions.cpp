#include "sim/run/policy_decisions.h"

#include <limits>
#include <numeric>
#include <span>
#include <vector>

#include "sim/scenario/scenario.h"

namespace fluidbatch::sim {
namespace {

using scheduler::Decision;
using scheduler::FbeState;
using scheduler::RequestId;

/// The requests of any state: the active batch's first, and after them the queue's.
class Questions {
 public:
  Questions(const System& system, const scheduler::PolicyContext& context, int longest_queue)
      : table_(*system.table()),
        traits_(system.policy->traits(system.parameters)),
        policy_(system.policy->make(system.parameters, context)),
        ids_(static_cast<std::size_t>(traits_.max_batch) + static_cast<std::size_t>(longest_queue)) {
    for (std::size_t i = 0; i < ids_.size(); ++i) requests_.push({});
    std::iota(ids_.begin(), ids_.end(), RequestId{0});
  }

  [[nodiscard]] int max_batch() const { return traits_.max_batch; }

  /// How many newcomers start.
  int ask(const FbeState& state) {
    if (state.active > 0 && traits_.boundary == scheduler::Boundary::batch) return 0;
    const std::span<const RequestId> ids(ids_);
    const auto active = ids.first(static_cast<std::size_t>(state.active));
    std::vector<scheduler::Batch> stack;
    if (state.active > 0) {
      stack.push_back({.samples = {active.begin(), active.end()},
                       .next_layer = table_.segment_begin(state.segment),
                       .suspended_since_s = 0});
    }
    const Decision decision = policy_->decide(
        {.now_s = 0,
         .slo = {.latency_s = std::numeric_limits<double>::infinity()},
         .table = table_,
         .requests = scheduler::KnownRequests(requests_),
         .queue = ids.subspan(static_cast<std::size_t>(state.active), static_cast<std::size_t>(state.queue)),
         .stack = stack});
    const bool starts =
        decision.action == Decision::Action::start || decision.action == Decision::Action::preempt;
    return starts ? static_cast<int>(decision.samples) : 0;
  }

 private:
  const npu::BatchPolicyTable& table_;
  scheduler::PolicyTraits traits_;
  std::unique_ptr<scheduler::Policy> policy_;
  scheduler::RequestWindow requests_;
  std::vector<RequestId> ids_;
};

}  // namespace

scheduler::FbeTable policy_decisions(const Scenario& scenario, const System& system, int longest_queue) {
  Questions questions(system, scenario.policy_context(system, 0, 0), longest_queue);
  const int segments = system.table()->segments();
  scheduler::FbeTable table(segments, questions.max_batch(), longest_queue);
  for (int queue = 1; queue <= longest_queue; ++queue) {
    const FbeState idle{.queue = queue};
    table.set_newcomers(idle, questions.ask(idle));
    for (int segment = 1; segment < segments; ++segment) {
      for (int active = 1; active < questions.max_batch(); ++active) {
        const FbeState state{.queue = queue, .active = active, .segment = segment};
        table.set_newcomers(state, questions.ask(state));
      }
    }
  }
  return table;
}

}  // namespace fluidbatch::sim
