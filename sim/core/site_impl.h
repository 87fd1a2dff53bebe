// What a site does: for the files that make one for their sink.
#pragma once

#include <algorithm>
#include <string>
#include <utility>

#include "scheduler/policy_error.h"
#include "sim/core/invariant.h"
#include "sim/core/site.h"
#include "sim/core/site_server_impl.h"

namespace fluidbatch::sim {

/// At date 0.
template <typename Sink>
SiteState first_state(const SiteCoreParts<Sink>& parts) {
  SiteState state(parts.stream, parts.read_ahead, parts.seed, parts.servers.size());
  for (const SiteServerParts<Sink>& parts_of_server : parts.servers) {
    SiteServerState& server = state.servers.emplace_back();
    for (const LaneParts<Sink>& lane : parts_of_server.lanes)
      server.lanes.emplace_back(static_cast<std::size_t>(lane.options.traits.max_batch));
    server.npu_time_s.resize(server.lanes.size());
    server.last_served = server.lanes.size();
  }
  return state;
}

template <typename Sink>
Site<Sink>::Site(const SiteCoreParts<Sink>& parts) : Site(parts, first_state(parts)) {
  read_ahead();
}

template <typename Sink>
Site<Sink>::Site(const SiteCoreParts<Sink>& parts, SiteState state)
    : service_of_device_(parts.service_of_device),
      router_(parts.router),
      stream_(parts.stream),
      stream_listens_(parts.stream.listens()),
      observer_(parts.observer),
      state_(std::move(state)) {
  require_invariant(router_ != nullptr || parts.servers.size() == 1, "several servers have a router");
  servers_.reserve(parts.servers.size());
  for (std::size_t number = 0; number < parts.servers.size(); ++number) {
    const SiteServerParts<Sink>& server = parts.servers[number];
    servers_.emplace_back(typename SiteServer<Sink>::Parts{.number = static_cast<std::uint16_t>(number),
                                                           .arbiter = server.arbiter,
                                                           .preemptive = server.preemptive,
                                                           .services = parts.services,
                                                           .lanes = server.lanes,
                                                           .observer = observer_,
                                                           .hub = *this,
                                                           .window = state_.requests,
                                                           .state = state_.servers[number]});
  }
}

template <typename Sink>
void Site<Sink>::advance(double date_s) {
  apply_events_of(date_s);
}

template <typename Sink>
void Site<Sink>::advance_through(double date_s) {
  for (double next_s = next_event_s(); next_s <= date_s && next_s < kNever; next_s = next_event_s())
    apply_events_of(next_s);
}

template <typename Sink>
void Site<Sink>::apply_events_of(double date_s) {
  state_.event_s = date_s;
  touched_.clear();
  workloads::WinnerTree& next_events = state_.next_events;
  while (next_events.date_s() <= date_s && next_events.date_s() < kNever) {
    const std::uint32_t server = next_events.leaf();
    touched_.push_back(server);
    next_events.set(server, kNever);
    servers_[server].begin_date(date_s);
  }
  while (state_.next_arrival_s <= date_s && state_.next_arrival_s < kNever) {
    state_.last_stream_event_s = state_.next_arrival_s;
    if (const workloads::Arrival* arrival = state_.ahead.advance(stream_)) route(*arrival);
    read_ahead();
  }
  if (nobody_comes()) wake_those_in_vain();
  std::sort(touched_.begin(), touched_.end());
  for (const std::size_t server : touched_) {
    servers_[server].end_date(date_s);
    next_events.set(static_cast<std::uint32_t>(server), servers_[server].next_event_s());
  }
}

template <typename Sink>
void Site<Sink>::touch(std::size_t server) {
  if (std::find(touched_.begin(), touched_.end(), server) == touched_.end()) touched_.push_back(server);
}

template <typename Sink>
void Site<Sink>::route(const workloads::Arrival& arrival) {
  arrival_ = &arrival;
  arriving_service_ = service_of_device_[arrival.device];
  const std::size_t server = router_ == nullptr ? 0 : router_->route(*this);
  if (server >= servers_.size()) {
    throw scheduler::PolicyError("the router sent a request to server " + std::to_string(server) +
                                 ", and there are " + std::to_string(servers_.size()) + ", from 0 on");
  }
  ++state_.admitted;
  ++state_.in_system;
  state_.in_system_at_last_arrival = state_.in_system;
  servers_[server].admit(arrival, arriving_service_);
  touch(server);
}

template <typename Sink>
double Site<Sink>::deadline_s() const {
  const scheduler::ServerSlo slo = servers_.front().slo_of(arriving_service_);
  return slo.deadline_s(slo.from_sending ? arrival_->sent_s : arrival_->date_s);
}

template <typename Sink>
std::size_t Site<Sink>::draw(std::size_t below) const {
  return static_cast<std::size_t>(draws_->uniform() * static_cast<double>(below));
}

template <typename Sink>
void Site<Sink>::stream_changed() {
  state_.ahead.refresh(stream_);
  read_ahead();
}

template <typename Sink>
void Site<Sink>::restart_stream() {
  state_.ahead.restart(stream_, state_.event_s);
  read_ahead();
}

template <typename Sink>
void Site<Sink>::read_ahead() {
  state_.next_arrival_s = state_.ahead.next_event_s();
  require_invariant(state_.next_arrival_s >= state_.last_stream_event_s, "arrivals are in order of time");
}

template <typename Sink>
bool Site<Sink>::idle() const {
  return std::all_of(servers_.begin(), servers_.end(), [](const auto& server) { return server.idle(); });
}

/// In a closed loop answers bring requests, so that somebody may come as long as a batch runs.
template <typename Sink>
bool Site<Sink>::nobody_comes() const {
  return state_.next_arrival_s == kNever && stream_.exhausted() && (!stream_listens_ || idle());
}

template <typename Sink>
void Site<Sink>::wake_those_in_vain() {
  for (std::size_t server = 0; server < servers_.size(); ++server) {
    if (servers_[server].waits_for_arrivals()) touch(server);
  }
}

template <typename Sink>
void Site<Sink>::answered(std::uint32_t device, double date_s) {
  --state_.in_system;
  if (!stream_listens_) return;
  state_.ahead.answered(stream_, device, date_s);
  read_ahead();
}

template <typename Sink>
void Site<Sink>::hand_over(scheduler::RequestId id, const scheduler::Request& request) {
  servers_[request.npu].sink_of(service_of_device_[request.device]).completed(id, request);
  if (observer_ != nullptr) observer_->completed(id, request);
}

template <typename Sink>
double Site<Sink>::time_scale_s() const {
  double longest_s = 0;
  for (const auto& server : servers_) longest_s = std::max(longest_s, server.time_scale_s());
  return longest_s;
}

template <typename Sink>
void Site<Sink>::finish() const {
  for (const auto& server : servers_) server.finish();
  require_invariant(state_.in_system == 0 && state_.requests.empty(), "nobody is left behind");
}

}  // namespace fluidbatch::sim
