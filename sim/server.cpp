#include "sim/server.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "sim/invariant.h"

namespace fluidbatch::sim {

using scheduler::Decision;
using scheduler::Request;
using scheduler::RequestId;

Server::Server(const npu::BatchPolicyTable& table, double slo_s, scheduler::Policy& policy,
               workloads::RequestStream& stream, Observer& observer)
    : table_(table), slo_s_(slo_s), policy_(policy), stream_(stream), observer_(observer) {
  require_invariant(policy.max_batch() <= table.max_batch(),
                    "the latency table ends below the policy's batch");
  active_.reserve(static_cast<std::size_t>(table.max_batch()));
  read_ahead();
}

double Server::next_event_s() const {
  return running() ? step_.end_s : std::min(next_arrival_.date_s, timer_s_);
}

void Server::advance(double date_s) {
  if (running()) {
    // Arrivals during the step have not been looked at yet; those of its very end come after its exits.
    admit_before(date_s);
    end_step();
  }
  admit_up_to(date_s);
  if (timer_s_ <= date_s) timer_s_ = kNever;
  if (running()) {
    begin_step(date_s, step_.last_segment + 1);
  } else if (queue_begin_ != queue_end()) {
    decide(date_s);
  }
}

void Server::finish() const {
  const Conservation& c = conservation_;
  require_invariant(c.admitted == c.completed && in_system_ == 0 && requests_.empty(),
                    "admitted requests = completed + queued + in flight");
  require_invariant(
      std::abs(c.time_in_system_s - c.sum_of_latencies_s) <= 1e-9 * c.sum_of_latencies_s + 1e-12,
      "Little's law: integral of the number in the system = sum of the latencies");
}

void Server::read_ahead() {
  const double last_s = next_arrival_.date_s;
  if (!stream_.next(next_arrival_)) {
    next_arrival_.date_s = kNever;
    return;
  }
  require_invariant(next_arrival_.date_s >= last_s && std::isfinite(next_arrival_.date_s),
                    "arrivals are in order of time");
  require_invariant(next_arrival_.exit < table_.segments(), "an exit that the network has");
}

void Server::admit() {
  elapse(next_arrival_.date_s);
  const Request request{.arrival_s = next_arrival_.date_s,
                        .start_s = 0,
                        .completion_s = 0,
                        .suspended_s = 0,
                        .device = next_arrival_.device,
                        .exit = next_arrival_.exit,
                        .completed = false};
  observer_.admitted(requests_.push(request), request);
  ++in_system_;
  ++conservation_.admitted;
  conservation_.in_system_at_last_arrival = in_system_;
  conservation_.last_arrival_s = request.arrival_s;
  read_ahead();
}

void Server::admit_before(double date_s) {
  while (next_arrival_.date_s < date_s) admit();
}

void Server::admit_up_to(double date_s) {
  while (next_arrival_.date_s <= date_s) admit();
}

void Server::end_step() {
  const double date_s = step_.end_s;
  observer_.stepped(step_);
  elapse(date_s);
  const auto left = std::stable_partition(
      active_.begin(), active_.end(), [&](RequestId id) { return requests_[id].exit != step_.last_segment; });
  for (auto id = left; id != active_.end(); ++id) leave(*id, date_s);
  active_.erase(left, active_.end());
  hand_over_completed();
}

void Server::begin_step(double date_s, int segment) {
  int next_exit = table_.segments();
  for (const RequestId id : active_) next_exit = std::min(next_exit, requests_[id].exit);
  step_.begin_s = date_s;
  step_.first_segment = segment;
  step_.last_segment = next_exit;
  step_.batch = static_cast<int>(active_.size());
  step_.end_s = date_s + table_.segments_latency_s(segment, next_exit + 1, step_.batch);
}

void Server::decide(double date_s) {
  const scheduler::ServerView view{.now_s = date_s,
                                   .slo_s = slo_s_,
                                   .table = table_,
                                   .requests = requests_,
                                   .queue_begin = queue_begin_,
                                   .queue_end = queue_end()};
  const Decision decision = policy_.decide(view);
  switch (decision.action) {
    case Decision::Action::start:
      require_invariant(
          decision.samples >= 1 && decision.samples <= view.queue_size() &&
              decision.samples <= static_cast<std::size_t>(table_.max_batch()),
          "a batch has at least one sample, no more than are queued and no more than max_batch");
      start_batch(date_s, decision.samples);
      break;
    case Decision::Action::wait_until:
      require_invariant(decision.date_s > date_s, "a policy waits for a date in the future");
      require_invariant(decision.date_s < kNever || next_arrival_.date_s < kNever,
                        "a policy must not wait for ever with requests in the queue");
      timer_s_ = decision.date_s;
      break;
  }
}

void Server::start_batch(double date_s, std::size_t samples) {
  for (std::size_t i = 0; i < samples; ++i) {
    requests_[queue_begin_].start_s = date_s;
    active_.push_back(queue_begin_++);
  }
  timer_s_ = kNever;
  observer_.started(date_s, static_cast<int>(samples));
  begin_step(date_s, 0);
}

void Server::leave(RequestId id, double date_s) {
  Request& request = requests_[id];
  request.completion_s = date_s;
  request.completed = true;
  --in_system_;
  ++conservation_.completed;
  conservation_.sum_of_latencies_s += date_s - request.arrival_s;
  conservation_.end_s = date_s;
}

void Server::hand_over_completed() {
  while (!requests_.empty() && requests_[requests_.first()].completed) {
    observer_.completed(requests_.first(), requests_[requests_.first()]);
    requests_.pop_first();
  }
}

void Server::elapse(double date_s) {
  require_invariant(date_s >= now_s_, "time does not run backwards");
  conservation_.time_in_system_s += static_cast<double>(in_system_) * (date_s - now_s_);
  now_s_ = date_s;
}

}  // namespace fluidbatch::sim
