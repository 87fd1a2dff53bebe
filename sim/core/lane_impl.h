// What a lane does: for the files that make a serving core for their sink.
#pragma once

#include <algorithm>
#include <limits>
#include <string>

#include "scheduler/bisection.h"
#include "sim/core/audit.h"
#include "sim/core/invariant.h"
#include "sim/core/lane.h"

namespace fluidbatch::sim {

template <typename Host, typename Sink>
Lane<Host, Sink>::Lane(const npu::BatchPolicyTable& table, const ServerOptions& options,
                       scheduler::Policy& policy, const ExitSource& exits, Sink& sink, Observer* observer)
    : table_(table), options_(options), policy_(policy), exits_(exits), sink_(sink), observer_(observer) {
  require_invariant(options.traits.max_batch <= table.max_batch(),
                    "the latency table ends below the policy's batch");
}

/// A request has come to the NPU with this number, and waits.
template <typename Host, typename Sink>
void Lane<Host, Sink>::admit(const workloads::Arrival& arrival, std::uint16_t npu) {
  require_invariant(arrival.exit >= 0 && arrival.exit < segments_, "an exit that the network has");
  elapse(arrival.date_s);
  const scheduler::RequestId id = requests().push({.arrival_s = arrival.date_s,
                                                   .sent_s = arrival.sent_s,
                                                   .start_s = 0,
                                                   .completion_s = 0,
                                                   .suspended_s = 0,
                                                   .threshold = 0,
                                                   .device = arrival.device,
                                                   .exit = arrival.exit,
                                                   .sample = arrival.sample,
                                                   .npu = npu,
                                                   .correct = arrival.correct,
                                                   .completed = false,
                                                   .dropped = false,
                                                   .forced = false});
  tell([&](auto& observer) { observer.admitted(id, requests()[id]); });
  state().queue.push(id);
  ++state().in_system;
  ++state().conservation.admitted;
  state().conservation.in_system_at_last_arrival = state().in_system;
}

/// The active batch has come to the end of its step: who leaves, leaves, and batches merge.
template <typename Host, typename Sink>
void Lane<Host, Sink>::end_step() {
  const double date_s = state().step.end_s;
  tell([&](auto& observer) { observer.stepped(state().step); });
  if (audits()) audit_passed_over(policy_, view_at(date_s), state(), boundary_, place_of(date_s));
  elapse(date_s);
  state().stack.ran(state().step.first_layer, state().step.end_layer);
  bool batch_changed = false;
  const int exit_layer = next_exit_layer(state().step.end_layer - 1);
  require_invariant(state().step.end_layer <= exit_layer, "a sample leaves at the end of its exit's segment");
  if (state().step.end_layer == exit_layer) {
    const std::uint64_t completed = state().conservation.completed;
    const bool resumed =
        decides_exits() ? leave_where_decided(date_s)
                        : state().stack.leave(requests(), date_s,
                                              [&](scheduler::Request& request) { leave(request, date_s); });
    hand_over_completed();
    if (resumed) tell([&](auto& observer) { observer.resumed(date_s); });
    batch_changed = state().conservation.completed != completed;
  }
  while (state().stack.merge(requests(), date_s)) {
    batch_changed = true;
    tell([&](auto& observer) { observer.merged(date_s); });
  }
  if (batch_changed && running()) begin_run(date_s);
}

/// The layer before which a sample of the active batch, which runs `layer`, leaves next or, at run time, may
/// leave.
template <typename Host, typename Sink>
int Lane<Host, Sink>::next_exit_layer(int layer) const {
  const int exit = decides_exits() ? table_.segment_of(layer) : state().stack.next_exit();
  return table_.segment_begin(exit + 1);
}

/// The end of a segment of the active batch, where a control says who leaves. True where a suspended batch is
/// active again.
template <typename Host, typename Sink>
bool Lane<Host, Sink>::leave_where_decided(double date_s) {
  const int exit = table_.segment_of(state().step.end_layer - 1);
  const int last = segments_ - 1;
  const std::size_t batch = state().stack.active().samples.size();
  scheduler::ExitRule rule{.threshold = std::numeric_limits<double>::quiet_NaN()};
  if (last > 0) {
    rule = rule_of({.now_s = date_s,
                    .exit = std::min(exit, last - 1),
                    .batch = batch,
                    .queued = state().queue.size(),
                    .slo = options_.slo,
                    .table = table_});
    if (exit < last) tell([&](auto& observer) { observer.exit_decided(date_s, exit, rule.threshold); });
  }
  double next_segment_s = -kNever;  // nobody is late after it
  if (exit < last && rule.by_deadline) {
    next_segment_s =
        table_.latency_s(state().step.end_layer, table_.segment_begin(exit + 2), static_cast<int>(batch));
  }
  const auto would_be_late = [&](const scheduler::Request& request) {
    return options_.slo.is_missed_by(date_s - options_.slo.start_s(request) + next_segment_s);
  };
  const bool all_leave = rule.together && somebody_in_batch(would_be_late);
  const workloads::RecordedConfidences* recorded = exits_.confidences;
  return state().stack.leave_where(requests(), date_s, [&](scheduler::Request& request) {
    const auto sample = static_cast<std::size_t>(request.sample);
    const auto at = static_cast<std::size_t>(exit);
    const double drawn_confidence = exit >= request.exit ? 1 : 0;
    const double confidence = recorded == nullptr ? drawn_confidence : recorded->confidence(sample, at);
    const bool leaves = exit == last || (confidence >= rule.threshold && !rule.together);
    if (!leaves && !(rule.together ? all_leave : would_be_late(request))) return false;
    if (recorded != nullptr) {
      request.correct = recorded->correct(sample, at);
    } else if (exit != request.exit) {
      request.correct = -1;  // only of the exit that was drawn is it known
    }
    request.exit = exit;
    request.threshold = rule.threshold;
    request.forced = !leaves;
    leave(request, date_s);
    exits_.control->taken({.exit = exit, .confidence = confidence});
    return true;
  });
}

/// Whether `predicate` is true of a sample of the active batch.
template <typename Host, typename Sink>
template <typename Predicate>
bool Lane<Host, Sink>::somebody_in_batch(const Predicate& predicate) const {
  const auto& samples = state().stack.active().samples;
  return std::any_of(samples.begin(), samples.end(),
                     [&](scheduler::RequestId id) { return predicate(requests()[id]); });
}

template <typename Host, typename Sink>
scheduler::ExitRule Lane<Host, Sink>::rule_of(const scheduler::ExitView& view) const {
  const scheduler::ExitRule rule = exits_.control->rule(view);
  if (!(rule.threshold >= 0 && rule.threshold <= 1)) {
    throw scheduler::PolicyError(describe(place_of(view.now_s)) +
                                 ": the exit control gave a threshold that is not from 0 to 1");
  }
  if (audits()) audit_rule(*exits_.control, view, rule);
  return rule;
}

/// The active batch runs with the same samples from `date_s` on.
template <typename Host, typename Sink>
void Lane<Host, Sink>::begin_run(double date_s) {
  state().run_begin_s = date_s;
  state().run_first_layer = state().stack.active().next_layer;
}

template <typename Host, typename Sink>
void Lane<Host, Sink>::begin_step(double date_s) {
  const scheduler::Batch& batch = state().stack.active();
  state().step.begin_s = date_s;
  state().step.first_layer = batch.next_layer;
  state().step.batch = static_cast<int>(batch.samples.size());
  plan_step();
  if (state().refusal != scheduler::Decision::Refusal::none) report_refusal();
}

/// At the boundary that the step starts from, and at those that it passes over.
template <typename Host, typename Sink>
void Lane<Host, Sink>::report_refusal() {
  int passed_over = 0;
  if (state().until_layer > state().step.first_layer) {
    const int last = state().step.end_layer - 1;
    passed_over = boundary_ == scheduler::Boundary::layer
                      ? last - state().step.first_layer
                      : table_.segment_of(last) - table_.segment_of(state().step.first_layer);
  }
  tell([&](auto& observer) { observer.refused(state().step.begin_s, state().refusal, 1 + passed_over); });
  state().refusal = scheduler::Decision::Refusal::none;
}

template <typename Host, typename Sink>
void Lane<Host, Sink>::plan_step() {
  state().step.end_layer = next_stop();
  state().step.end_s = date_before(state().step.end_layer);
}

/// When the active batch will have run all layers before `layer`.
template <typename Host, typename Sink>
double Lane<Host, Sink>::date_before(int layer) const {
  return state().run_begin_s + table_.latency_s(state().run_first_layer, layer, state().step.batch);
}

/// The layer before which the active batch stops next.
template <typename Host, typename Sink>
int Lane<Host, Sink>::next_stop() const {
  const scheduler::Batch& batch = state().stack.active();
  int stop = next_exit_layer(batch.next_layer);
  if (state().stack.suspended() != nullptr) stop = std::min(stop, state().stack.suspended()->next_layer);
  if (const double others_from_s = host().others_wait_from_s(); others_from_s < kNever) {
    int segment = table_.segment_of(batch.next_layer) + 1;
    while (table_.segment_begin(segment) < stop && date_before(table_.segment_begin(segment)) < others_from_s)
      ++segment;
    stop = std::min(stop, table_.segment_begin(segment));
  }
  if (boundary_ == scheduler::Boundary::batch) return stop;

  // The first boundary that the policy wants to see, and at which somebody waits in the queue.
  const double waited_from_s = host().waited_from_s();
  const bool waited_for = waited_from_s == -kNever;  // when the step began
  const int from = waited_for ? std::max(batch.next_layer + 1, state().until_layer) : batch.next_layer + 1;
  // Latencies add up, so dates rise with the layer.
  const auto somebody_waits = [&](int layer) { return waited_for || date_before(layer) >= waited_from_s; };
  if (boundary_ == scheduler::Boundary::layer) {
    if (from >= stop || !somebody_waits(stop - 1)) return stop;  // most steps end with nobody waiting
    return waited_for ? from : scheduler::first_where(from, stop - 1, somebody_waits);
  }
  int segment = table_.segment_of(batch.next_layer) + 1;
  int layer = table_.segment_begin(segment);
  while (layer < stop && (layer < from || !somebody_waits(layer))) layer = table_.segment_begin(++segment);
  return std::min(layer, stop);
}

template <typename Host, typename Sink>
bool Lane<Host, Sink>::must_decide() const {
  if (state().queue.empty()) return false;
  return !running() || scheduler::is_asked_before(state().stack.active().next_layer, boundary_, table_);
}

template <typename Host, typename Sink>
scheduler::ServerView Lane<Host, Sink>::view_at(double date_s) const {
  return {.now_s = date_s,
          .slo = options_.slo,
          .table = table_,
          .requests = scheduler::KnownRequests(requests()),
          .queue = state().queue.ids(),
          .stack = state().stack.batches(),
          .someone_left = state().someone_left,
          .run_begin_s = state().run_begin_s,
          .run_first_layer = state().run_first_layer,
          .oracle = options_.traits.oracle ? scheduler::ExitOracle(requests()) : scheduler::ExitOracle()};
}

/// Asks the policy until it drops nobody any more.
template <typename Host, typename Sink>
void Lane<Host, Sink>::decide(double date_s) {
  do {
    state().until_layer = 0;
  } while (carry_out(ask(date_s), date_s) && must_decide());
}

template <typename Host, typename Sink>
scheduler::Decision Lane<Host, Sink>::ask(double date_s) {
  const scheduler::ServerView view = view_at(date_s);
  try {
    if (audits()) return audited_answer(policy_, view);
    return policy_.decide(view);
  } catch (const scheduler::PolicyError& error) {
    throw scheduler::PolicyError(describe(place_of(date_s)) + ": " + error.what());
  }
}

/// True where the policy is to be asked again.
template <typename Host, typename Sink>
bool Lane<Host, Sink>::carry_out(const scheduler::Decision& decision, double date_s) {
  switch (decision.action) {
    case scheduler::Decision::Action::go_on:
      if (!running()) refuse(decision, date_s, "an idle NPU has nothing to go on with");
      state().refusal = state().passed_refusal = decision.refusal;
      // Hopeless requests are looked for at every boundary.
      if (!options_.drop_hopeless) state().until_layer = decision.until_layer;
      return false;
    case scheduler::Decision::Action::start:
      if (running()) refuse(decision, date_s, "only an idle NPU starts a batch");
      take_from_queue(date_s, decision, false);
      return false;
    case scheduler::Decision::Action::preempt:
      if (!running()) refuse(decision, date_s, "only an active batch is preempted");
      take_from_queue(date_s, decision, true);
      return false;
    case scheduler::Decision::Action::drop:
      if (decision.samples < 1 || decision.samples > state().queue.size()) refuse(decision, date_s, nullptr);
      drop(decision.samples, date_s);
      return true;
    case scheduler::Decision::Action::wait_until:
      if (running()) refuse(decision, date_s, "only an idle NPU waits");
      if (!(decision.date_s > date_s)) refuse(decision, date_s, "that is not in the future");
      host().wait(decision, date_s);
      return false;
  }
  return false;
}

template <typename Host, typename Sink>
DecisionPlace Lane<Host, Sink>::place_of(double date_s) const {
  return {.policy = options_.policy,
          .date_s = date_s,
          .queued = state().queue.size(),
          .in_flight = state().in_flight(),
          .max_batch = max_batch_};
}

/// Ends the run: the decision can't be carried out, because of its numbers where `why` is null.
template <typename Host, typename Sink>
[[gnu::noinline, gnu::cold]] void Lane<Host, Sink>::refuse(const scheduler::Decision& decision, double date_s,
                                                           const char* why) const {
  throw scheduler::PolicyError(describe(decision, place_of(date_s)) +
                               (why == nullptr ? "" : std::string(": ") + why));
}

/// Queued requests, the oldest ones, that would be late even if they ran alone from now on.
template <typename Host, typename Sink>
std::size_t Lane<Host, Sink>::hopeless(double date_s) const {
  const auto ids = state().queue.ids();
  const double latency_s = table_.single_sample_latency_s();
  const auto hopeful = std::find_if(ids.begin(), ids.end(), [&](scheduler::RequestId id) {
    const double elapsed_s = date_s - options_.slo.start_s(requests()[id]);
    return !options_.slo.is_missed_by(elapsed_s + latency_s);
  });
  return static_cast<std::size_t>(hopeful - ids.begin());
}

template <typename Host, typename Sink>
void Lane<Host, Sink>::drop(std::size_t samples, double date_s) {
  require_invariant(samples <= state().queue.size(), "no more are dropped than are queued");
  elapse(date_s);
  for (const scheduler::RequestId id : state().queue.take(samples)) {
    scheduler::Request& request = requests()[id];
    request.dropped = true;
    ++state().conservation.dropped;
    end_stay(request, date_s);
  }
  hand_over_completed();
}

/// `preempting`: a batch is pushed off the NPU for it, which has its cost.
template <typename Host, typename Sink>
void Lane<Host, Sink>::take_from_queue(double date_s, const scheduler::Decision& decision, bool preempting) {
  const bool allowed = decision.samples >= 1 && decision.samples <= state().queue.size() &&
                       state().in_flight() + decision.samples <= max_batch_;
  if (!allowed) refuse(decision, date_s, nullptr);
  const bool suspends = state().stack.push(requests(), state().queue.take(decision.samples), date_s);
  begin_run(preempting ? date_s + options_.preemption_cost_s : date_s);
  host().has_started();
  tell([&](auto& observer) { observer.started(date_s, static_cast<int>(decision.samples), preempting); });
  if (suspends) tell([&](auto& observer) { observer.suspended(date_s, state().stack.registers()); });
}

template <typename Host, typename Sink>
void Lane<Host, Sink>::leave(scheduler::Request& request, double date_s) {
  state().someone_left = true;
  ++state().conservation.completed;
  end_stay(request, date_s);
}

template <typename Host, typename Sink>
void Lane<Host, Sink>::end_stay(scheduler::Request& request, double date_s) {
  request.completion_s = date_s;
  request.completed = true;
  --state().in_system;
  state().conservation.sum_of_latencies_s += date_s - request.arrival_s;
  state().conservation.end_s = date_s;
  tell([&](auto& observer) { observer.departed(request); });
  host().answered(request.device, date_s);
}

template <typename Host, typename Sink>
void Lane<Host, Sink>::hand_over_completed() {
  while (!requests().empty() && requests()[requests().first()].completed) {
    host().hand_over(requests().first(), requests()[requests().first()]);
    requests().pop_first();
  }
}

template <typename Host, typename Sink>
void Lane<Host, Sink>::elapse(double date_s) {
  require_invariant(date_s >= state().now_s, "time does not run backwards");
  state().conservation.time_in_system_s += static_cast<double>(state().in_system) * (date_s - state().now_s);
  state().now_s = date_s;
}

}  // namespace fluidbatch::sim
