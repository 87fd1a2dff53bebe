#include "sim/tail/importance.h"

#include <algorithm>
#include <utility>

namespace fluidbatch::sim {
namespace {

int most_segments(const std::vector<std::vector<SiteImportance::ServiceOn>>& services) {
  int most = 0;
  for (const auto& of_npu : services) {
    for (const SiteImportance::ServiceOn& service : of_npu) most = std::max(most, service.table->segments());
  }
  return most;
}

/// When the first layer of a step that is at work began: a preemption's begins with the cost of that.
double begin_of_step_s(const LaneState& lane) { return std::max(lane.step.begin_s, lane.run_begin_s); }

}  // namespace

Importance::Importance(const npu::BatchPolicyTable& table, const scheduler::ServerSlo& slo, int max_batch)
    : max_batch_(static_cast<std::size_t>(max_batch)), course_(table.segments()) {
  course_.turn_to(table, slo);
}

double Importance::of(const ServerState& state) {
  course_.begin(state.event_s);
  if (!state.stack.empty()) {
    course_.begin(begin_of_step_s(state));
    course_.run_stack(state.requests, state.stack.batches());
  } else if (state.queue.size() < max_batch_ && state.timer_s < ServerState::kNever) {
    course_.wait_until(state.timer_s);
  }
  std::span<const scheduler::RequestId> queue = state.queue.ids();
  while (!queue.empty()) {
    const std::size_t taken = std::min(max_batch_, queue.size());
    course_.run_batch(state.requests, queue.first(taken));
    queue = queue.subspan(taken);
  }
  return course_.take_largest_s();
}

SiteImportance::SiteImportance(std::vector<std::vector<ServiceOn>> services, int max_batch)
    : services_(std::move(services)),
      max_batch_(static_cast<std::size_t>(max_batch)),
      course_(most_segments(services_)) {}

double SiteImportance::of(const SiteState& state) {
  for (std::size_t npu = 0; npu < state.servers.size(); ++npu) {
    if (state.servers[npu].in_system > 0) add(state, npu);
  }
  return course_.take_largest_s();
}

void SiteImportance::add(const SiteState& state, std::size_t npu) {
  const SiteServerState& server = state.servers[npu];
  const auto turn_to = [&](std::size_t service) {
    const ServiceOn& its = services_[npu][service];
    course_.turn_to(*its.table, its.slo, its.scale);
  };
  course_.begin(state.event_s);
  if (server.active != SiteServerState::kNone) {
    const LaneState& lane = server.lanes[server.active];
    course_.begin(begin_of_step_s(lane));
    turn_to(server.active);
    course_.run_stack(state.requests, lane.stack.batches());
  } else if (server.timer_s < SiteServerState::kNever) {
    course_.wait_until(server.timer_s);
  }
  for (std::size_t i = server.parked.size(); i-- > 0;) {
    turn_to(server.parked[i].service);
    course_.run_stack(state.requests, server.parked[i].stack.batches());
  }
  queues_.clear();
  for (const LaneState& lane : server.lanes) queues_.push_back(lane.queue.ids());
  const auto is_behind = [](const auto& a, const auto& b) {  // requests are numbered in order of arrival
    return !b.empty() && (a.empty() || b.front() < a.front());
  };
  while (true) {
    auto oldest = queues_.begin();
    for (auto queue = queues_.begin(); queue != queues_.end(); ++queue) {
      if (is_behind(*oldest, *queue)) oldest = queue;
    }
    if (oldest->empty()) break;
    turn_to(static_cast<std::size_t>(oldest - queues_.begin()));
    const std::size_t taken = std::min(max_batch_, oldest->size());
    course_.run_batch(state.requests, oldest->first(taken));
    *oldest = oldest->subspan(taken);
  }
}

}  // namespace fluidbatch::sim
