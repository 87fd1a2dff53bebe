// What the serving core does: for the file that makes it for its sink (sim/run/serving.cpp).
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "scheduler/bisection.h"
#include "sim/core/audit.h"
#include "sim/core/invariant.h"
#include "sim/core/server.h"

namespace fluidbatch::sim {

template <typename Sink>
Server<Sink>::Server(const npu::BatchPolicyTable& table, const ServerOptions& options,
                     scheduler::Policy& policy, const ExitSource& exits, workloads::RequestStream& stream,
                     Sink& sink, Observer* observer)
    : Server(table, options, policy, exits, stream, sink, observer,
             ServerState(stream, options.read_ahead, static_cast<std::size_t>(options.traits.max_batch))) {
  read_ahead();
}

template <typename Sink>
Server<Sink>::Server(const npu::BatchPolicyTable& table, const ServerOptions& options,
                     scheduler::Policy& policy, const ExitSource& exits, workloads::RequestStream& stream,
                     Sink& sink, Observer* observer, ServerState state)
    : table_(table),
      options_(options),
      policy_(policy),
      exits_(exits),
      stream_(stream),
      stream_listens_(stream.listens()),
      sink_(sink),
      observer_(observer),
      state_(std::move(state)) {
  require_invariant(options.traits.max_batch <= table.max_batch(),
                    "the latency table ends below the policy's batch");
}

// Flat: what a request takes is some thirty small functions, and their calls would cost a tenth of the run.
template <typename Sink>
[[gnu::flatten]] void Server<Sink>::advance(double date_s) {
  apply_events_of(date_s);
}

template <typename Sink>
[[gnu::flatten]] void Server<Sink>::advance_through(double date_s) {
  for (double next_s = next_event_s(); next_s <= date_s && next_s < kNever; next_s = next_event_s())
    apply_events_of(next_s);
}

template <typename Sink>
void Server<Sink>::apply_events_of(double date_s) {
  state_.event_s = date_s;
  state_.someone_left = false;
  if (running()) {
    // Arrivals during the step have not been looked at yet; those of its very end come after its exits.
    admit_before(date_s);
    end_step();
  }
  admit_up_to(date_s);
  if (state_.timer_s <= date_s) state_.timer_s = kNever;
  if (options_.drop_hopeless && must_decide()) drop(hopeless(date_s), date_s);
  if (must_decide()) decide(date_s);
  if (running()) begin_step(date_s);
}

template <typename Sink>
void Server<Sink>::finish() const {
  const Conservation& c = state_.conservation;
  require_invariant(c.admitted == c.completed + c.dropped && state_.in_system == 0 && state_.requests.empty(),
                    "admitted requests = completed + dropped + queued + in flight");
  require_invariant(
      std::abs(c.time_in_system_s - c.sum_of_latencies_s) <= 1e-9 * c.sum_of_latencies_s + 1e-12,
      "Little's law: integral of the number in the system = sum of the latencies");
}

template <typename Sink>
void Server<Sink>::stream_changed() {
  state_.ahead.refresh(stream_);
  read_ahead();
  if (running()) plan_step();
}

template <typename Sink>
void Server<Sink>::restart_stream() {
  state_.ahead.restart(stream_, state_.event_s);
  read_ahead();
  // Where somebody has come during the step, it ends at the first boundary after that, whoever else comes.
  if (running() && state_.event_s <= state_.step.begin_s) plan_step();
}

template <typename Sink>
bool Server<Sink>::admit_during_step() {
  if (!running() || state_.next_arrival_s >= state_.step.end_s) return false;
  state_.event_s = state_.next_arrival_s;
  admit_up_to(state_.event_s);
  return true;
}

template <typename Sink>
void Server<Sink>::read_ahead() {
  state_.next_arrival_s = state_.ahead.next_event_s();
  require_invariant(state_.next_arrival_s >= state_.last_stream_event_s, "arrivals are in order of time");
}

template <typename Sink>
void Server<Sink>::advance_stream() {
  state_.last_stream_event_s = state_.next_arrival_s;
  if (const workloads::Arrival* arrival = state_.ahead.advance(stream_)) admit(*arrival);
  read_ahead();
}

template <typename Sink>
void Server<Sink>::admit(const workloads::Arrival& arrival) {
  require_invariant(arrival.exit >= 0 && arrival.exit < segments_, "an exit that the network has");
  elapse(arrival.date_s);
  const scheduler::RequestId id = state_.requests.push({.arrival_s = arrival.date_s,
                                                        .sent_s = arrival.sent_s,
                                                        .start_s = 0,
                                                        .completion_s = 0,
                                                        .suspended_s = 0,
                                                        .threshold = 0,
                                                        .device = arrival.device,
                                                        .exit = arrival.exit,
                                                        .sample = arrival.sample,
                                                        .correct = arrival.correct,
                                                        .completed = false,
                                                        .dropped = false,
                                                        .forced = false});
  tell([&](auto& observer) { observer.admitted(id, state_.requests[id]); });
  state_.queue.push(id);
  ++state_.in_system;
  ++state_.conservation.admitted;
  state_.conservation.in_system_at_last_arrival = state_.in_system;
}

template <typename Sink>
void Server<Sink>::admit_before(double date_s) {
  while (state_.next_arrival_s < date_s) advance_stream();
}

template <typename Sink>
void Server<Sink>::admit_up_to(double date_s) {
  while (state_.next_arrival_s <= date_s) advance_stream();
}

template <typename Sink>
void Server<Sink>::end_step() {
  const double date_s = state_.step.end_s;
  tell([&](auto& observer) { observer.stepped(state_.step); });
  if (options_.audit) audit_passed_over(policy_, view_at(date_s), state_, boundary_, place_of(date_s));
  elapse(date_s);
  state_.stack.ran(state_.step.first_layer, state_.step.end_layer);
  bool batch_changed = false;
  const int exit_layer = next_exit_layer(state_.step.end_layer - 1);
  require_invariant(state_.step.end_layer <= exit_layer, "a sample leaves at the end of its exit's segment");
  if (state_.step.end_layer == exit_layer) {
    const std::uint64_t completed = state_.conservation.completed;
    const bool resumed = exits_.control != nullptr
                             ? leave_where_decided(date_s)
                             : state_.stack.leave(state_.requests, date_s, [&](scheduler::Request& request) {
                                 leave(request, date_s);
                               });
    hand_over_completed();
    if (resumed) tell([&](auto& observer) { observer.resumed(date_s); });
    batch_changed = state_.conservation.completed != completed;
  }
  while (state_.stack.merge(state_.requests, date_s)) {
    batch_changed = true;
    tell([&](auto& observer) { observer.merged(date_s); });
  }
  if (batch_changed && running()) begin_run(date_s);
}

/// The layer before which a sample of the active batch, which runs `layer`, leaves next or, at run time, may
/// leave.
template <typename Sink>
int Server<Sink>::next_exit_layer(int layer) const {
  const int exit = exits_.control == nullptr ? state_.stack.next_exit() : table_.segment_of(layer);
  return table_.segment_begin(exit + 1);
}

/// The end of a segment of the active batch, where a control says who leaves. True where a suspended batch is
/// active again.
template <typename Sink>
bool Server<Sink>::leave_where_decided(double date_s) {
  const int exit = table_.segment_of(state_.step.end_layer - 1);
  const int last = segments_ - 1;
  const std::size_t batch = state_.stack.active().samples.size();
  scheduler::ExitRule rule{.threshold = std::numeric_limits<double>::quiet_NaN()};
  if (last > 0) {
    rule = rule_of({.now_s = date_s,
                    .exit = std::min(exit, last - 1),
                    .batch = batch,
                    .queued = state_.queue.size(),
                    .slo = options_.slo,
                    .table = table_});
    if (exit < last) tell([&](auto& observer) { observer.exit_decided(date_s, exit, rule.threshold); });
  }
  double next_segment_s = -kNever;  // nobody is late after it
  if (exit < last && rule.by_deadline) {
    next_segment_s =
        table_.latency_s(state_.step.end_layer, table_.segment_begin(exit + 2), static_cast<int>(batch));
  }
  const workloads::RecordedConfidences* recorded = exits_.confidences;
  return state_.stack.leave_where(state_.requests, date_s, [&](scheduler::Request& request) {
    const auto sample = static_cast<std::size_t>(request.sample);
    const auto at = static_cast<std::size_t>(exit);
    const double drawn_confidence = exit >= request.exit ? 1 : 0;
    const double confidence = recorded == nullptr ? drawn_confidence : recorded->confidence(sample, at);
    const bool leaves = exit == last || confidence >= rule.threshold;
    if (!leaves && !options_.slo.is_missed_by(date_s - options_.slo.start_s(request) + next_segment_s)) {
      return false;
    }
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

template <typename Sink>
scheduler::ExitRule Server<Sink>::rule_of(const scheduler::ExitView& view) const {
  const scheduler::ExitRule rule = exits_.control->rule(view);
  if (!(rule.threshold >= 0 && rule.threshold <= 1)) {
    throw scheduler::PolicyError(describe(place_of(view.now_s)) +
                                 ": the exit control gave a threshold that is not from 0 to 1");
  }
  if (options_.audit) audit_rule(*exits_.control, view, rule);
  return rule;
}

/// The active batch runs with the same samples from `date_s` on.
template <typename Sink>
void Server<Sink>::begin_run(double date_s) {
  state_.run_begin_s = date_s;
  state_.run_first_layer = state_.stack.active().next_layer;
}

template <typename Sink>
void Server<Sink>::begin_step(double date_s) {
  const scheduler::Batch& batch = state_.stack.active();
  state_.step.begin_s = date_s;
  state_.step.first_layer = batch.next_layer;
  state_.step.batch = static_cast<int>(batch.samples.size());
  plan_step();
  if (state_.refusal != scheduler::Decision::Refusal::none) report_refusal();
}

/// At the boundary that the step starts from, and at those that it passes over.
template <typename Sink>
void Server<Sink>::report_refusal() {
  int passed_over = 0;
  if (state_.until_layer > state_.step.first_layer) {
    const int last = state_.step.end_layer - 1;
    passed_over = boundary_ == scheduler::Boundary::layer
                      ? last - state_.step.first_layer
                      : table_.segment_of(last) - table_.segment_of(state_.step.first_layer);
  }
  tell([&](auto& observer) { observer.refused(state_.step.begin_s, state_.refusal, 1 + passed_over); });
  state_.refusal = scheduler::Decision::Refusal::none;
}

template <typename Sink>
void Server<Sink>::plan_step() {
  state_.step.end_layer = next_stop();
  state_.step.end_s = date_before(state_.step.end_layer);
}

/// When the active batch will have run all layers before `layer`.
template <typename Sink>
double Server<Sink>::date_before(int layer) const {
  return state_.run_begin_s + table_.latency_s(state_.run_first_layer, layer, state_.step.batch);
}

/// The layer before which the active batch stops next.
template <typename Sink>
int Server<Sink>::next_stop() const {
  const scheduler::Batch& batch = state_.stack.active();
  int stop = next_exit_layer(batch.next_layer);
  if (state_.stack.suspended() != nullptr) stop = std::min(stop, state_.stack.suspended()->next_layer);
  if (boundary_ == scheduler::Boundary::batch) return stop;

  // The first boundary that the policy wants to see, and at which somebody waits in the queue.
  const int from =
      state_.queue.empty() ? batch.next_layer + 1 : std::max(batch.next_layer + 1, state_.until_layer);
  // Latencies add up, so dates rise with the layer.
  const auto somebody_waits = [&](int layer) {
    return !state_.queue.empty() || date_before(layer) >= state_.next_arrival_s;
  };
  if (boundary_ == scheduler::Boundary::layer)
    return scheduler::first_where(std::min(from, stop), stop, somebody_waits);
  int segment = table_.segment_of(batch.next_layer) + 1;
  int layer = table_.segment_begin(segment);
  while (layer < stop && (layer < from || !somebody_waits(layer))) layer = table_.segment_begin(++segment);
  return std::min(layer, stop);
}

template <typename Sink>
bool Server<Sink>::must_decide() const {
  if (state_.queue.empty()) return false;
  return !running() || scheduler::is_asked_before(state_.stack.active().next_layer, boundary_, table_);
}

template <typename Sink>
scheduler::ServerView Server<Sink>::view_at(double date_s) const {
  return {.now_s = date_s,
          .slo = options_.slo,
          .table = table_,
          .requests = scheduler::KnownRequests(state_.requests),
          .queue = state_.queue.ids(),
          .stack = state_.stack.batches(),
          .someone_left = state_.someone_left,
          .run_begin_s = state_.run_begin_s,
          .run_first_layer = state_.run_first_layer,
          .oracle = oracle_};
}

template <typename Sink>
void Server<Sink>::decide(double date_s) {
  do {
    state_.until_layer = 0;
  } while (carry_out(ask(date_s), date_s) && must_decide());
}

template <typename Sink>
scheduler::Decision Server<Sink>::ask(double date_s) {
  const scheduler::ServerView view = view_at(date_s);
  try {
    if (options_.audit) return audited_answer(policy_, view);
    return policy_.decide(view);
  } catch (const scheduler::PolicyError& error) {
    throw scheduler::PolicyError(describe(place_of(date_s)) + ": " + error.what());
  }
}

/// True where the policy is to be asked again.
template <typename Sink>
bool Server<Sink>::carry_out(const scheduler::Decision& decision, double date_s) {
  switch (decision.action) {
    case scheduler::Decision::Action::go_on:
      if (!running()) refuse(decision, date_s, "an idle NPU has nothing to go on with");
      state_.refusal = state_.passed_refusal = decision.refusal;
      // Hopeless requests are looked for at every boundary.
      if (!options_.drop_hopeless) state_.until_layer = decision.until_layer;
      return false;
    case scheduler::Decision::Action::start:
      if (running()) refuse(decision, date_s, "only an idle NPU starts a batch");
      take_from_queue(date_s, decision);
      return false;
    case scheduler::Decision::Action::preempt:
      if (!running()) refuse(decision, date_s, "only an active batch is preempted");
      take_from_queue(date_s, decision);
      return false;
    case scheduler::Decision::Action::drop:
      if (decision.samples < 1 || decision.samples > state_.queue.size()) refuse(decision, date_s, nullptr);
      drop(decision.samples, date_s);
      return true;
    case scheduler::Decision::Action::wait_until:
      if (running()) refuse(decision, date_s, "only an idle NPU waits");
      if (!(decision.date_s > date_s)) refuse(decision, date_s, "that is not in the future");
      if (decision.date_s == kNever && state_.next_arrival_s == kNever && stream_.exhausted()) {
        if (decision.samples == 0)
          refuse(decision, date_s, "nobody comes any more, and requests are in the queue");
        take_from_queue(date_s, decision);
        return false;
      }
      state_.timer_s = decision.date_s;
      return false;
  }
  return false;
}

template <typename Sink>
DecisionPlace Server<Sink>::place_of(double date_s) const {
  return {.policy = options_.policy,
          .date_s = date_s,
          .queued = state_.queue.size(),
          .in_flight = static_cast<std::size_t>(state_.in_system) - state_.queue.size(),
          .max_batch = max_batch_};
}

/// Ends the run: the decision can't be carried out, because of its numbers where `why` is null.
template <typename Sink>
[[gnu::noinline, gnu::cold]] void Server<Sink>::refuse(const scheduler::Decision& decision, double date_s,
                                                       const char* why) const {
  throw scheduler::PolicyError(describe(decision, place_of(date_s)) +
                               (why == nullptr ? "" : std::string(": ") + why));
}

/// Queued requests, the oldest ones, that would be late even if they ran alone from now on.
template <typename Sink>
std::size_t Server<Sink>::hopeless(double date_s) const {
  const auto ids = state_.queue.ids();
  const double latency_s = table_.single_sample_latency_s();
  const auto hopeful = std::find_if(ids.begin(), ids.end(), [&](scheduler::RequestId id) {
    const double elapsed_s = date_s - options_.slo.start_s(state_.requests[id]);
    return !options_.slo.is_missed_by(elapsed_s + latency_s);
  });
  return static_cast<std::size_t>(hopeful - ids.begin());
}

template <typename Sink>
void Server<Sink>::drop(std::size_t samples, double date_s) {
  require_invariant(samples <= state_.queue.size(), "no more are dropped than are queued");
  elapse(date_s);
  for (const scheduler::RequestId id : state_.queue.take(samples)) {
    scheduler::Request& request = state_.requests[id];
    request.dropped = true;
    ++state_.conservation.dropped;
    end_stay(request, date_s);
  }
  hand_over_completed();
}

template <typename Sink>
void Server<Sink>::take_from_queue(double date_s, const scheduler::Decision& decision) {
  const std::size_t queued = state_.queue.size();
  const std::size_t in_flight = static_cast<std::size_t>(state_.in_system) - queued;
  const bool allowed =
      decision.samples >= 1 && decision.samples <= queued && in_flight + decision.samples <= max_batch_;
  if (!allowed) refuse(decision, date_s, nullptr);
  const bool suspends = state_.stack.push(state_.requests, state_.queue.take(decision.samples), date_s);
  const bool preempting = decision.action == scheduler::Decision::Action::preempt;
  begin_run(preempting ? date_s + options_.preemption_cost_s : date_s);
  state_.timer_s = kNever;
  tell([&](auto& observer) { observer.started(date_s, static_cast<int>(decision.samples), preempting); });
  if (suspends) tell([&](auto& observer) { observer.suspended(date_s, state_.stack.registers()); });
}

template <typename Sink>
void Server<Sink>::leave(scheduler::Request& request, double date_s) {
  state_.someone_left = true;
  ++state_.conservation.completed;
  end_stay(request, date_s);
}

template <typename Sink>
void Server<Sink>::end_stay(scheduler::Request& request, double date_s) {
  request.completion_s = date_s;
  request.completed = true;
  --state_.in_system;
  state_.conservation.sum_of_latencies_s += date_s - request.arrival_s;
  state_.conservation.end_s = date_s;
  tell([&](auto& observer) { observer.departed(request); });
  if (stream_listens_) {
    state_.ahead.answered(stream_, request.device, date_s);
    read_ahead();
  }
}

template <typename Sink>
void Server<Sink>::hand_over_completed() {
  while (!state_.requests.empty() && state_.requests[state_.requests.first()].completed) {
    tell([&](auto& observer) {
      observer.completed(state_.requests.first(), state_.requests[state_.requests.first()]);
    });
    state_.requests.pop_first();
  }
}

template <typename Sink>
void Server<Sink>::elapse(double date_s) {
  require_invariant(date_s >= state_.now_s, "time does not run backwards");
  state_.conservation.time_in_system_s += static_cast<double>(state_.in_system) * (date_s - state_.now_s);
  state_.now_s = date_s;
}

}  // namespace fluidbatch::sim
