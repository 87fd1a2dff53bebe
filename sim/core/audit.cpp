#include "sim/core/audit.h"

#include <algorithm>
#include <string>
#include <vector>

namespace fluidbatch::sim {
namespace {

using scheduler::Boundary;
using scheduler::Decision;
using scheduler::RequestId;
using scheduler::ServerView;

/// Of a queue in order of arrival, those who were in it at `date_s`.
std::span<const RequestId> queued_at(const ServerView& view, double date_s) {
  const auto end = std::partition_point(view.queue.begin(), view.queue.end(),
                                        [&](RequestId id) { return view.requests[id].arrival_s <= date_s; });
  return {view.queue.begin(), end};
}

}  // namespace

Decision audited_answer(scheduler::Policy& policy, const ServerView& view) {
  const Decision again = policy.clone()->decide(view);
  const Decision answer = policy.decide(view);
  if (answer == again) return answer;
  throw scheduler::PolicyError("a clone of it answered otherwise to the same question (--audit)");
}

void audit_rule(const scheduler::ExitControl& control, const scheduler::ExitView& view,
                const scheduler::ExitRule& rule) {
  if (control.clone()->rule(view) == rule) return;
  throw scheduler::PolicyError(
      "a clone of the exit control gave another rule to the same question (--audit)");
}

void audit_passed_over(const scheduler::Policy& policy, const ServerView& view, const LaneState& state,
                       Boundary boundary, const DecisionPlace& place) {
  const int end = std::min(state.step.end_layer, state.until_layer);
  for (int layer = state.step.first_layer + 1; layer < end; ++layer) {
    if (!scheduler::is_asked_before(layer, boundary, view.table)) continue;
    std::vector<scheduler::Batch> stack(view.stack.begin(), view.stack.end());
    stack.back().next_layer = layer;
    ServerView then = view;
    then.now_s = view.date_before(layer);
    then.queue = queued_at(view, then.now_s);
    then.stack = stack;
    then.someone_left = false;
    if (then.queue.empty()) continue;
    DecisionPlace there = place;
    there.date_s = then.now_s;
    there.queued = then.queue.size();
    const Decision answer = policy.clone()->decide(then);
    const bool holds = answer.action == Decision::Action::go_on && answer.refusal == state.passed_refusal;
    if (holds) continue;
    const bool only_the_reason = answer.action == Decision::Action::go_on;
    throw scheduler::PolicyError(describe(answer, there) + " before layer " + std::to_string(layer) +
                                 (only_the_reason ? ", for another reason" : "") +
                                 ", but had said that it would go on until layer " +
                                 std::to_string(state.until_layer) + " (--audit)");
  }
}

}  // namespace fluidbatch::sim
