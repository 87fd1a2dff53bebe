// What the serving core does: for the file that makes it for its sink (sim/run/serving.cpp).
#pragma once

#include <utility>

#include "sim/core/invariant.h"
#include "sim/core/lane_impl.h"
#include "sim/core/server.h"

namespace fluidbatch::sim {

template <typename Sink, bool kIsPlain>
Server<Sink, kIsPlain>::Server(const npu::BatchPolicyTable& table, const ServerOptions& options,
                               scheduler::Policy& policy, const ExitSource& exits,
                               workloads::RequestStream& stream, Sink& sink, Observer* observer)
    : Server(table, options, policy, exits, stream, sink, observer,
             ServerState(stream, options.read_ahead, static_cast<std::size_t>(options.traits.max_batch))) {
  read_ahead();
}

template <typename Sink, bool kIsPlain>
Server<Sink, kIsPlain>::Server(const npu::BatchPolicyTable& table, const ServerOptions& options,
                               scheduler::Policy& policy, const ExitSource& exits,
                               workloads::RequestStream& stream, Sink& sink, Observer* observer,
                               ServerState state)
    : Rules(table, options, policy, exits, sink, observer),
      stream_(stream),
      stream_listens_(stream.listens()),
      state_(std::move(state)) {
  require_invariant(!kIsPlain || (observer == nullptr && !options.audit && exits.control == nullptr),
                    "a plain server has no observer, audit or exit control");
}

// Flat: what a request takes is some thirty small functions, and their calls would cost a tenth of the run.
template <typename Sink, bool kIsPlain>
[[gnu::flatten]] void Server<Sink, kIsPlain>::advance(double date_s) {
  apply_events_of(date_s);
}

template <typename Sink, bool kIsPlain>
[[gnu::flatten]] void Server<Sink, kIsPlain>::advance_through(double date_s) {
  for (double next_s = next_event_s(); next_s <= date_s && next_s < kNever; next_s = next_event_s())
    apply_events_of(next_s);
}

template <typename Sink, bool kIsPlain>
void Server<Sink, kIsPlain>::apply_events_of(double date_s) {
  state_.event_s = date_s;
  state_.someone_left = false;
  if (running()) {
    // Arrivals during the step have not been looked at yet; those of its very end come after its exits.
    admit_before(date_s);
    this->end_step();
  }
  admit_up_to(date_s);
  if (state_.timer_s <= date_s) state_.timer_s = kNever;
  if (this->options_.drop_hopeless && this->must_decide()) this->drop(this->hopeless(date_s), date_s);
  if (this->must_decide()) this->decide(date_s);
  if (running()) this->begin_step(date_s);
}

template <typename Sink, bool kIsPlain>
void Server<Sink, kIsPlain>::finish() const {
  check_conservation(state_);
  require_invariant(state_.requests.empty(), "nobody is left behind");
}

template <typename Sink, bool kIsPlain>
void Server<Sink, kIsPlain>::stream_changed() {
  state_.ahead.refresh(stream_);
  read_ahead();
  if (running()) this->plan_step();
}

template <typename Sink, bool kIsPlain>
void Server<Sink, kIsPlain>::restart_stream() {
  state_.ahead.restart(stream_, state_.event_s);
  read_ahead();
  // Where somebody has come during the step, it ends at the first boundary after that, whoever else comes.
  if (running() && state_.event_s <= state_.step.begin_s) this->plan_step();
}

template <typename Sink, bool kIsPlain>
bool Server<Sink, kIsPlain>::admit_during_step() {
  if (!running() || state_.next_arrival_s >= state_.step.end_s) return false;
  state_.event_s = state_.next_arrival_s;
  admit_up_to(state_.event_s);
  return true;
}

template <typename Sink, bool kIsPlain>
void Server<Sink, kIsPlain>::read_ahead() {
  state_.next_arrival_s = state_.ahead.next_event_s();
  require_invariant(state_.next_arrival_s >= state_.last_stream_event_s, "arrivals are in order of time");
}

template <typename Sink, bool kIsPlain>
void Server<Sink, kIsPlain>::advance_stream() {
  state_.last_stream_event_s = state_.next_arrival_s;
  if (const workloads::Arrival* arrival = state_.ahead.advance(stream_)) this->admit(*arrival, 0);
  read_ahead();
}

template <typename Sink, bool kIsPlain>
void Server<Sink, kIsPlain>::admit_before(double date_s) {
  while (state_.next_arrival_s < date_s) advance_stream();
}

template <typename Sink, bool kIsPlain>
void Server<Sink, kIsPlain>::admit_up_to(double date_s) {
  while (state_.next_arrival_s <= date_s) advance_stream();
}

template <typename Sink, bool kIsPlain>
void Server<Sink, kIsPlain>::wait(const scheduler::Decision& decision, double date_s) {
  const bool in_vain = decision.date_s == kNever && state_.next_arrival_s == kNever && stream_.exhausted();
  if (!in_vain) {
    state_.timer_s = decision.date_s;
    return;
  }
  if (decision.samples == 0) {
    this->refuse(decision, date_s, "nobody comes any more, and requests are in the queue");
  }
  this->take_from_queue(date_s, decision, false);
}

template <typename Sink, bool kIsPlain>
void Server<Sink, kIsPlain>::answered(std::uint32_t device, double date_s) {
  if (!stream_listens_) return;
  state_.ahead.answered(stream_, device, date_s);
  read_ahead();
}

}  // namespace fluidbatch::sim
