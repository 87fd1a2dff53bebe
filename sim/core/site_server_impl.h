// What an NPU of a site does: for the files that make a site for their sink.
#pragma once

#include <algorithm>
#include <cmath>
#include <utility>

#include "scheduler/arbitration.h"
#include "sim/core/lane_impl.h"
#include "sim/core/site_server.h"

namespace fluidbatch::sim {

template <typename Sink>
SiteServer<Sink>::SiteServer(const Parts& parts)
    : number_(parts.number),
      arbiter_(parts.arbiter),
      preemptive_(parts.preemptive),
      observer_(parts.observer),
      hub_(parts.hub),
      window_(parts.window),
      state_(parts.state) {
  lanes_.reserve(parts.lanes.size());
  for (std::size_t service = 0; service < parts.lanes.size(); ++service) {
    const LaneParts<Sink>& lane = parts.lanes[service];
    lanes_.emplace_back(lane, observer_, hub_, window_, state_, state_.lanes[service]);
    drops_hopeless_ = drops_hopeless_ || lane.options.drop_hopeless;
    views_.push_back({.priority = parts.services[service].priority,
                      .weight = parts.services[service].weight,
                      .npu_time_s = 0,
                      .slo = lane.options.slo,
                      .table = &lane.table,
                      .queue = {}});
  }
}

/// What is told next is of this service.
template <typename Sink>
SiteLane<Sink>& SiteServer<Sink>::turn_to(std::size_t service) {
  if (observer_ != nullptr) observer_->turn_to(number_, service);
  return lanes_[service];
}

template <typename Sink>
void SiteServer<Sink>::begin_date(double date_s) {
  if (idle()) {
    state_.timer_s = kNever;
  } else {
    end_step(date_s);
  }
}

template <typename Sink>
void SiteServer<Sink>::admit(const workloads::Arrival& arrival, std::size_t service) {
  Lane& lane = turn_to(service);
  ++state_.in_system;
  lane.admit(arrival, number_);
  if (idle() || at_boundary_) return;
  // The step goes on up to the first boundary at which the newcomer matters.
  double& waited_for = service == state_.active ? state_.waited_from_s : state_.others_wait_from_s;
  if (waited_for < kNever || (service != state_.active && !preemptive_)) return;
  waited_for = arrival.date_s;
  active().plan_step();
}

template <typename Sink>
void SiteServer<Sink>::end_date(double date_s) {
  // A boundary of this date at which nobody was known to wait before the arrivals of this date.
  if (!idle() && !at_boundary_ && active().state_.step.end_s <= date_s) end_step(date_s);
  const bool in_a_step = !idle() && !at_boundary_;
  if (!in_a_step) {
    if (at_boundary_) at_boundary(date_s);
    if (idle()) serve(date_s);
    if (!idle()) begin_step(date_s);
  }
  at_boundary_ = false;
  left_ = kNone;
}

template <typename Sink>
void SiteServer<Sink>::end_step(double date_s) {
  Lane& lane = turn_to(state_.active);
  lane.state_.someone_left = false;
  lane.end_step();
  left_ = state_.active;
  at_boundary_ = lane.running();
  if (!at_boundary_) end_stay(date_s);
}

/// The active service gives the NPU up.
template <typename Sink>
void SiteServer<Sink>::end_stay(double date_s) {
  state_.npu_time_s[state_.active] += date_s - state_.stay_begin_s;
  state_.active = kNone;
}

template <typename Sink>
void SiteServer<Sink>::begin_stay(std::size_t service, double date_s) {
  state_.active = service;
  state_.stay_begin_s = date_s;
  state_.waits = false;
  state_.timer_s = kNever;
}

template <typename Sink>
void SiteServer<Sink>::begin_step(double date_s) {
  Lane& lane = turn_to(state_.active);
  state_.waited_from_s = lane.state_.queue.empty() ? kNever : -kNever;
  state_.others_wait_from_s = preemptive_ && others_wait() ? -kNever : kNever;
  lane.begin_step(date_s);
}

template <typename Sink>
bool SiteServer<Sink>::others_wait() const {
  for (std::size_t service = 0; service < lanes_.size(); ++service) {
    if (service != state_.active && !state_.lanes[service].queue.empty()) return true;
  }
  return false;
}

template <typename Sink>
bool SiteServer<Sink>::at_segment_boundary() const {
  const Lane& lane = active();
  return scheduler::is_asked_before(lane.state_.stack.active().next_layer, scheduler::Boundary::segment,
                                    lane.table_);
}

/// The active batch stands before its next layer.
template <typename Sink>
void SiteServer<Sink>::at_boundary(double date_s) {
  // Whether a decision is due must not depend on where a step happens to end, which exits have a say in.
  if (preemptive_ && others_wait() && at_segment_boundary()) {
    if (drops_hopeless_) drop_hopeless_of_all(date_s);
    if (others_wait() && start_one(date_s, After::active)) return;
  } else if (drops_hopeless_ && active().must_decide()) {
    drop_hopeless(state_.active, date_s);
  }
  decide(date_s);
}

/// Asks the policy of the active service, where it wants to be asked.
template <typename Sink>
void SiteServer<Sink>::decide(double date_s) {
  Lane& lane = turn_to(state_.active);
  if (state_.active != left_) lane.state_.someone_left = false;
  if (lane.must_decide()) lane.decide(date_s);
}

/// An idle NPU looks for something to do.
template <typename Sink>
void SiteServer<Sink>::serve(double date_s) {
  if (drops_hopeless_) drop_hopeless_of_all(date_s);
  if (start_one(date_s, state_.parked.empty() ? After::nothing : After::parked)) return;
  if (!state_.parked.empty()) {
    come_back(date_s);
    decide(date_s);
  } else if (waits_for_arrivals() && hub_.nobody_comes()) {
    start_in_vain(date_s);
  }
}

/// Asks the policies of the services whose queues are not empty, in the arbiter's order, until one starts a
/// batch: true then. After the active batch, or the stack that was parked last, come those whose heads are
/// not strictly before all of it, which are not asked. Where all wait and there is nothing else to do, the
/// NPU is to be woken up at the first of their dates.
template <typename Sink>
bool SiteServer<Sink>::start_one(double date_s, After after) {
  const scheduler::ArbiterView view = look(date_s);
  if (after == After::active) keep_those_before(view, state_.active, active().state_.stack, state_.active);
  if (after == After::parked)
    keep_those_before(view, state_.parked.back().service, state_.parked.back().stack, kNone);
  first_in_vain_ = kNone;
  double timer_s = kNever;
  const bool any = !heads_.empty();
  while (!heads_.empty()) {
    const std::size_t next = arbiter_ == nullptr ? 0 : scheduler::first_in_order(*arbiter_, view, heads_);
    const std::size_t service = heads_[next].service;
    Lane& lane = turn_to(service);
    if (service != left_) lane.state_.someone_left = false;
    const scheduler::Decision decision = lane.ask(date_s);
    lane.state_.until_layer = 0;
    if (decision.action == scheduler::Decision::Action::start) {
      if (after == After::active) park(date_s);
      turn_to(service).take_from_queue(date_s, decision, after == After::active);
      begin_stay(service, date_s);
      state_.last_served = service;
      return true;
    }
    if (lane.carry_out(decision, date_s)) return start_one(date_s, after);  // a queue is shorter now
    timer_s = std::min(timer_s, lane.waiting_.date_s);
    const bool better = first_in_vain_ == kNone || lanes_[first_in_vain_].waiting_.samples == 0;
    if (better && (first_in_vain_ == kNone || lane.waiting_.samples > 0)) first_in_vain_ = service;
    heads_.erase(heads_.begin() + static_cast<std::ptrdiff_t>(next));
  }
  if (after == After::nothing) {
    state_.waits = any;
    state_.timer_s = timer_s;
  }
  return false;
}

/// All wait for arrivals, and nobody comes any more: starts what the first has said for that case.
template <typename Sink>
void SiteServer<Sink>::start_in_vain(double date_s) {
  Lane& lane = turn_to(first_in_vain_);
  if (lane.waiting_.samples == 0) {
    lane.refuse(lane.waiting_, date_s, "nobody comes any more, and requests are in the queue");
  }
  lane.take_from_queue(date_s, lane.waiting_, false);
  begin_stay(first_in_vain_, date_s);
  state_.last_served = first_in_vain_;
}

/// The active service's batches make room for those of another one.
template <typename Sink>
void SiteServer<Sink>::park(double date_s) {
  Lane& lane = turn_to(state_.active);
  LaneState& state = lane.state_;
  if (state_.spare.empty()) state_.spare.emplace_back(lane.max_batch_);
  ParkedStack parked{.service = state_.active,
                     .stack = std::move(state_.spare.back()),
                     .samples = static_cast<std::int64_t>(state.in_flight())};
  state_.spare.pop_back();
  std::swap(parked.stack, state.stack);
  parked.stack.park(date_s);
  state.parked += parked.samples;
  state.refusal = scheduler::Decision::Refusal::none;
  state_.parked.push_back(std::move(parked));
  lane.tell([&](auto& observer) { observer.parked(date_s); });
  end_stay(date_s);
}

/// The stack that was parked last has the NPU again.
template <typename Sink>
void SiteServer<Sink>::come_back(double date_s) {
  ParkedStack& parked = state_.parked.back();
  Lane& lane = turn_to(parked.service);
  LaneState& state = lane.state_;
  std::swap(parked.stack, state.stack);
  state.stack.come_back(window_, date_s);
  state.parked -= parked.samples;
  state.until_layer = 0;
  begin_stay(parked.service, date_s);
  state_.spare.push_back(std::move(parked.stack));
  state_.parked.pop_back();
  lane.begin_run(date_s);
  left_ = kNone;
  lane.tell([&](auto& observer) { observer.came_back(date_s); });
}

template <typename Sink>
void SiteServer<Sink>::drop_hopeless(std::size_t service, double date_s) {
  Lane& lane = turn_to(service);
  if (lane.options_.drop_hopeless) lane.drop(lane.hopeless(date_s), date_s);
}

template <typename Sink>
void SiteServer<Sink>::drop_hopeless_of_all(double date_s) {
  for (std::size_t service = 0; service < lanes_.size(); ++service) {
    if (!state_.lanes[service].queue.empty()) drop_hopeless(service, date_s);
  }
}

/// The arbiter's view, with the heads of all queues.
template <typename Sink>
scheduler::ArbiterView SiteServer<Sink>::look(double date_s) {
  heads_.clear();
  for (std::size_t service = 0; service < lanes_.size(); ++service) {
    const RequestQueue& queue = state_.lanes[service].queue;
    views_[service].npu_time_s = state_.npu_time_s[service];
    views_[service].queue = queue.ids();
    if (!queue.empty()) heads_.push_back(contender(service, queue.ids().front()));
  }
  const scheduler::ArbiterView view{.now_s = date_s,
                                    .services = views_,
                                    .last_served = state_.last_served,
                                    .requests = scheduler::KnownRequests(window_)};
  if (arbiter_ != nullptr) arbiter_->consider(view, heads_);
  return view;
}

template <typename Sink>
scheduler::Contender SiteServer<Sink>::contender(std::size_t service, scheduler::RequestId id) const {
  const scheduler::Request& request = window_[id];
  const scheduler::ServerSlo& slo = lanes_[service].options_.slo;
  return {
      .service = service, .arrival_s = request.arrival_s, .deadline_s = slo.deadline_s(slo.start_s(request))};
}

/// Of the heads, those that go strictly before all of `stack`, which is of the service `of`; those of the
/// service `but` are not among them.
template <typename Sink>
void SiteServer<Sink>::keep_those_before(const scheduler::ArbiterView& view, std::size_t of,
                                         const BatchStack& stack, std::size_t but) {
  in_flight_.clear();
  const std::span<const scheduler::Batch> batches = stack.batches();
  for (const scheduler::Batch& batch : batches) {
    const bool runs = &batch == &batches.back() && of == state_.active;
    for (const scheduler::RequestId id : batch.samples) {
      scheduler::Contender& its = in_flight_.emplace_back(contender(of, id));
      const scheduler::Request& request = window_[id];
      its.served_s = (runs ? view.now_s : batch.suspended_since_s) - request.start_s - request.suspended_s;
      its.done_s = lanes_[of].table_.latency_s(0, batch.next_layer, 1);
    }
  }
  std::erase_if(heads_, [&](const scheduler::Contender& head) {
    return head.service == but || !scheduler::is_strictly_before_all(*arbiter_, view, head, in_flight_);
  });
}

/// The layer that the active batch runs, or else runs next.
template <typename Sink>
int SiteServer<Sink>::current_layer(double now_s) const {
  const Lane& lane = active();
  const Step& step = lane.state_.step;
  if (at_boundary_) return lane.state_.stack.active().next_layer;
  const auto has_not_ended = [&](int layer) {
    return lane.date_before(layer + 1) > now_s + scheduler::kDeadlineTolerance_s;
  };
  return scheduler::first_where(step.first_layer, step.end_layer, has_not_ended);
}

template <typename Sink>
double SiteServer<Sink>::remaining_work_s(double now_s) const {
  double work_s = 0;
  for (const Lane& lane : lanes_) {
    work_s += static_cast<double>(lane.state_.queue.size()) * lane.table_.single_sample_latency_s();
  }
  const auto add = [&](const npu::BatchPolicyTable& table, std::size_t samples, int layer) {
    work_s += static_cast<double>(samples) * table.latency_s(layer, table.layers(), 1);
  };
  for (const ParkedStack& parked : state_.parked) {
    for (const scheduler::Batch& batch : parked.stack.batches())
      add(lanes_[parked.service].table_, batch.samples.size(), batch.next_layer);
  }
  if (idle()) return work_s;
  const std::span<const scheduler::Batch> batches = active().state_.stack.batches();
  for (const scheduler::Batch& batch : batches.first(batches.size() - 1))
    add(active().table_, batch.samples.size(), batch.next_layer);
  add(active().table_, batches.back().samples.size(), current_layer(now_s));
  return work_s;
}

template <typename Sink>
double SiteServer<Sink>::earliest_finish_s(double now_s, std::size_t service) const {
  double finish_s = now_s;
  const auto add = [&](const npu::BatchPolicyTable& table, const scheduler::Batch& batch) {
    finish_s += table.latency_s(batch.next_layer, table.layers(), static_cast<int>(batch.samples.size()));
  };
  if (!idle()) {
    const Lane& lane = active();
    const std::span<const scheduler::Batch> batches = lane.state_.stack.batches();
    if (at_boundary_) {
      add(lane.table_, batches.back());
    } else {
      finish_s = std::max(finish_s, lane.date_before(lane.table_.layers()));
    }
    for (const scheduler::Batch& batch : batches.first(batches.size() - 1)) add(lane.table_, batch);
  }
  for (const ParkedStack& parked : state_.parked) {
    for (const scheduler::Batch& batch : parked.stack.batches()) add(lanes_[parked.service].table_, batch);
  }
  for (std::size_t s = 0; s < lanes_.size(); ++s) {
    const Lane& lane = lanes_[s];
    const std::size_t waiting = lane.state_.queue.size() + (s == service ? 1 : 0);
    const auto time_s = [&](std::size_t samples) {
      return samples == 0 ? 0.0 : lane.table_.latency_s(0, lane.table_.layers(), static_cast<int>(samples));
    };
    const std::size_t whole_batches = waiting / lane.max_batch_;
    finish_s +=
        static_cast<double>(whole_batches) * time_s(lane.max_batch_) + time_s(waiting % lane.max_batch_);
  }
  return finish_s;
}

template <typename Sink>
double SiteServer<Sink>::time_scale_s() const {
  double longest_s = 0;
  for (const Lane& lane : lanes_) longest_s = std::max(longest_s, lane.table_.single_sample_latency_s());
  return longest_s;
}

template <typename Sink>
void SiteServer<Sink>::finish() const {
  for (const LaneState& lane : state_.lanes) check_conservation(lane);
  require_invariant(state_.in_system == 0 && state_.parked.empty(), "nobody is left on the NPU");
}

}  // namespace fluidbatch::sim
