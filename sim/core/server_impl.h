// What the serving core does: for the file that makes it for its sink (sim/run/serving.cpp).
#pragma once

#include <algorithm>
#include <cmath>
#include <string>

#include "scheduler/bisection.h"
#include "sim/core/illegal_decision.h"
#include "sim/core/invariant.h"
#include "sim/core/server.h"

namespace fluidbatch::sim {

template <typename Sink>
Server<Sink>::Server(const npu::BatchPolicyTable& table, const ServerOptions& options,
                     scheduler::Policy& policy, workloads::RequestStream& stream, Sink& sink,
                     Observer* observer)
    : table_(table),
      options_(options),
      policy_(policy),
      stream_(stream),
      stream_listens_(stream.listens()),
      sink_(sink),
      observer_(observer) {
  require_invariant(max_batch_ <= static_cast<std::size_t>(table.max_batch()),
                    "the latency table ends below the policy's batch");
  read_ahead();
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
  event_s_ = date_s;
  view_.someone_left = false;
  if (running()) {
    // Arrivals during the step have not been looked at yet; those of its very end come after its exits.
    admit_before(date_s);
    end_step();
  }
  admit_up_to(date_s);
  if (timer_s_ <= date_s) timer_s_ = kNever;
  if (options_.drop_hopeless && must_decide()) drop(hopeless(date_s), date_s);
  if (must_decide()) decide(date_s);
  if (running()) begin_step(date_s);
}

template <typename Sink>
void Server<Sink>::finish() const {
  const Conservation& c = conservation_;
  require_invariant(c.admitted == c.completed + c.dropped && in_system_ == 0 && requests_.empty(),
                    "admitted requests = completed + dropped + queued + in flight");
  require_invariant(
      std::abs(c.time_in_system_s - c.sum_of_latencies_s) <= 1e-9 * c.sum_of_latencies_s + 1e-12,
      "Little's law: integral of the number in the system = sum of the latencies");
}

template <typename Sink>
void Server<Sink>::stream_changed() {
  stream_.refresh();
  read_ahead();
  if (running()) plan_step();
}

template <typename Sink>
void Server<Sink>::read_ahead() {
  next_arrival_s_ = stream_.next_event_s();
  require_invariant(next_arrival_s_ >= last_stream_event_s_, "arrivals are in order of time");
}

template <typename Sink>
void Server<Sink>::advance_stream() {
  last_stream_event_s_ = next_arrival_s_;
  if (const workloads::Arrival* arrival = stream_.advance()) admit(*arrival);
  read_ahead();
}

template <typename Sink>
void Server<Sink>::admit(const workloads::Arrival& arrival) {
  require_invariant(arrival.exit >= 0 && arrival.exit < segments_, "an exit that the network has");
  elapse(arrival.date_s);
  const scheduler::RequestId id = requests_.push({.arrival_s = arrival.date_s,
                                                  .sent_s = arrival.sent_s,
                                                  .start_s = 0,
                                                  .completion_s = 0,
                                                  .suspended_s = 0,
                                                  .device = arrival.device,
                                                  .exit = arrival.exit,
                                                  .correct = arrival.correct,
                                                  .completed = false,
                                                  .dropped = false});
  tell([&](auto& observer) { observer.admitted(id, requests_[id]); });
  ++in_system_;
  ++conservation_.admitted;
  conservation_.in_system_at_last_arrival = in_system_;
}

template <typename Sink>
void Server<Sink>::admit_before(double date_s) {
  while (next_arrival_s_ < date_s) advance_stream();
}

template <typename Sink>
void Server<Sink>::admit_up_to(double date_s) {
  while (next_arrival_s_ <= date_s) advance_stream();
}

template <typename Sink>
void Server<Sink>::end_step() {
  const double date_s = step_.end_s;
  tell([&](auto& observer) { observer.stepped(step_); });
  elapse(date_s);
  stack_.ran(step_.first_layer, step_.end_layer);
  bool batch_changed = false;
  const int exit_layer = table_.segment_begin(stack_.active().next_exit + 1);
  require_invariant(step_.end_layer <= exit_layer, "a sample leaves at the end of its exit's segment");
  if (step_.end_layer == exit_layer) {
    const bool resumed = stack_.leave(date_s, [&](scheduler::Request& request) { leave(request, date_s); });
    hand_over_completed();
    if (resumed) tell([&](auto& observer) { observer.resumed(date_s); });
    batch_changed = true;
  }
  while (stack_.merge(date_s)) {
    batch_changed = true;
    tell([&](auto& observer) { observer.merged(date_s); });
  }
  if (batch_changed && running()) begin_run(date_s);
}

/// The active batch runs with the same samples from `date_s` on.
template <typename Sink>
void Server<Sink>::begin_run(double date_s) {
  view_.run_begin_s = date_s;
  view_.run_first_layer = stack_.active().next_layer;
}

template <typename Sink>
void Server<Sink>::begin_step(double date_s) {
  const scheduler::Batch& batch = stack_.active();
  step_.begin_s = date_s;
  step_.first_layer = batch.next_layer;
  step_.batch = static_cast<int>(batch.samples.size());
  plan_step();
  if (refusal_ != scheduler::Decision::Refusal::none) report_refusal();
}

/// At the boundary that the step starts from, and at those that it passes over.
template <typename Sink>
void Server<Sink>::report_refusal() {
  int passed_over = 0;
  if (until_layer_ > step_.first_layer) {
    const int last = step_.end_layer - 1;
    passed_over = boundary_ == scheduler::Boundary::layer
                      ? last - step_.first_layer
                      : table_.segment_of(last) - table_.segment_of(step_.first_layer);
  }
  tell([&](auto& observer) { observer.refused(step_.begin_s, refusal_, 1 + passed_over); });
  refusal_ = scheduler::Decision::Refusal::none;
}

template <typename Sink>
void Server<Sink>::plan_step() {
  step_.end_layer = next_stop();
  step_.end_s = date_before(step_.end_layer);
}

/// When the active batch will have run all layers before `layer`.
template <typename Sink>
double Server<Sink>::date_before(int layer) const {
  return view_.run_begin_s + table_.latency_s(view_.run_first_layer, layer, step_.batch);
}

/// The layer before which the active batch stops next.
template <typename Sink>
int Server<Sink>::next_stop() const {
  const scheduler::Batch& batch = stack_.active();
  int stop = table_.segment_begin(batch.next_exit + 1);
  if (stack_.suspended() != nullptr) stop = std::min(stop, stack_.suspended()->next_layer);
  if (boundary_ == scheduler::Boundary::batch) return stop;

  // The first boundary that the policy wants to see, and at which somebody waits in the queue.
  const int from = queue_empty() ? batch.next_layer + 1 : std::max(batch.next_layer + 1, until_layer_);
  // Latencies add up, so dates rise with the layer.
  const auto somebody_waits = [&](int layer) {
    return !queue_empty() || date_before(layer) >= next_arrival_s_;
  };
  if (boundary_ == scheduler::Boundary::layer)
    return scheduler::first_where(std::min(from, stop), stop, somebody_waits);
  int segment = table_.segment_of(batch.next_layer) + 1;
  int layer = table_.segment_begin(segment);
  while (layer < stop && (layer < from || !somebody_waits(layer))) layer = table_.segment_begin(++segment);
  return std::min(layer, stop);
}

/// Whether the policy wants to be asked before `layer`.
template <typename Sink>
bool Server<Sink>::is_boundary(int layer) const {
  switch (boundary_) {
    case scheduler::Boundary::batch:
      return false;
    case scheduler::Boundary::segment:
      return layer == table_.segment_begin(table_.segment_of(layer));
    case scheduler::Boundary::layer:
      return true;
  }
  return false;
}

template <typename Sink>
bool Server<Sink>::must_decide() const {
  if (queue_empty()) return false;
  return !running() || is_boundary(stack_.active().next_layer);
}

template <typename Sink>
void Server<Sink>::decide(double date_s) {
  view_.now_s = date_s;
  do {
    view_.queue_end = requests_.end();
    view_.stack = stack_.batches();
    until_layer_ = 0;
  } while (carry_out(policy_.decide(view_), date_s) && must_decide());
}

/// True where the policy is to be asked again.
template <typename Sink>
bool Server<Sink>::carry_out(const scheduler::Decision& decision, double date_s) {
  switch (decision.action) {
    case scheduler::Decision::Action::go_on:
      if (!running()) refuse(decision, date_s, "an idle NPU has nothing to go on with");
      refusal_ = decision.refusal;
      // Hopeless requests are looked for at every boundary.
      if (!options_.drop_hopeless) until_layer_ = decision.until_layer;
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
      if (decision.samples < 1 || decision.samples > queue_size()) refuse(decision, date_s, nullptr);
      drop(decision.samples, date_s);
      return true;
    case scheduler::Decision::Action::wait_until:
      if (running()) refuse(decision, date_s, "only an idle NPU waits");
      if (!(decision.date_s > date_s)) refuse(decision, date_s, "that is not in the future");
      if (decision.date_s == kNever && next_arrival_s_ == kNever)
        refuse(decision, date_s, "nobody comes any more, and requests are in the queue");
      timer_s_ = decision.date_s;
      return false;
  }
  return false;
}

/// Ends the run: the decision can't be carried out, because of its numbers where `why` is null.
template <typename Sink>
[[gnu::noinline, gnu::cold]] void Server<Sink>::refuse(const scheduler::Decision& decision, double date_s,
                                                       const char* why) const {
  const DecisionPlace place{.policy = options_.policy,
                            .date_s = date_s,
                            .queued = queue_size(),
                            .in_flight = static_cast<std::size_t>(in_system_) - queue_size(),
                            .max_batch = max_batch_};
  throw IllegalDecision(describe(decision, place) + (why == nullptr ? "" : std::string(": ") + why));
}

/// Queued requests, the oldest ones, that would be late even if they ran alone from now on.
template <typename Sink>
std::size_t Server<Sink>::hopeless(double date_s) const {
  scheduler::RequestId id = view_.queue_begin;
  const double latency_s = table_.single_sample_latency_s();
  while (id != requests_.end() &&
         date_s - slo_start_s(requests_[id]) + latency_s > options_.slo_s + scheduler::kDeadlineTolerance_s) {
    ++id;
  }
  return static_cast<std::size_t>(id - view_.queue_begin);
}

template <typename Sink>
double Server<Sink>::slo_start_s(const scheduler::Request& request) const {
  return options_.slo_from_sending ? request.sent_s : request.arrival_s;
}

template <typename Sink>
void Server<Sink>::drop(std::size_t samples, double date_s) {
  require_invariant(samples <= queue_size(), "no more are dropped than are queued");
  elapse(date_s);
  for (std::size_t i = 0; i < samples; ++i) {
    scheduler::Request& request = requests_[view_.queue_begin++];
    request.dropped = true;
    ++conservation_.dropped;
    end_stay(request, date_s);
  }
  hand_over_completed();
}

template <typename Sink>
void Server<Sink>::take_from_queue(double date_s, const scheduler::Decision& decision) {
  const std::size_t queued = queue_size();
  const std::size_t in_flight = static_cast<std::size_t>(in_system_) - queued;
  const bool allowed =
      decision.samples >= 1 && decision.samples <= queued && in_flight + decision.samples <= max_batch_;
  if (!allowed) refuse(decision, date_s, nullptr);
  const bool suspends = stack_.push(view_.queue_begin, static_cast<int>(decision.samples), date_s);
  view_.queue_begin += decision.samples;
  const bool preempting = decision.action == scheduler::Decision::Action::preempt;
  begin_run(preempting ? date_s + policy_.preemption_cost_s() : date_s);
  timer_s_ = kNever;
  tell([&](auto& observer) { observer.started(date_s, static_cast<int>(decision.samples), preempting); });
  if (suspends) tell([&](auto& observer) { observer.suspended(date_s, stack_.registers()); });
}

template <typename Sink>
void Server<Sink>::leave(scheduler::Request& request, double date_s) {
  view_.someone_left = true;
  ++conservation_.completed;
  end_stay(request, date_s);
}

template <typename Sink>
void Server<Sink>::end_stay(scheduler::Request& request, double date_s) {
  request.completion_s = date_s;
  request.completed = true;
  --in_system_;
  conservation_.sum_of_latencies_s += date_s - request.arrival_s;
  conservation_.end_s = date_s;
  tell([&](auto& observer) { observer.departed(request); });
  if (stream_listens_) {
    stream_.answered(request.device, date_s);
    read_ahead();
  }
}

template <typename Sink>
void Server<Sink>::hand_over_completed() {
  while (!requests_.empty() && requests_[requests_.first()].completed) {
    tell([&](auto& observer) { observer.completed(requests_.first(), requests_[requests_.first()]); });
    requests_.pop_first();
  }
}

template <typename Sink>
void Server<Sink>::elapse(double date_s) {
  require_invariant(date_s >= now_s_, "time does not run backwards");
  conservation_.time_in_system_s += static_cast<double>(in_system_) * (date_s - now_s_);
  now_s_ = date_s;
}

}  // namespace fluidbatch::sim
