#include "sim/tail/importance.h"

#include <algorithm>
#include <cmath>

namespace fluidbatch::sim {

Importance::Importance(const npu::BatchPolicyTable& table, const scheduler::ServerSlo& slo, int max_batch)
    : table_(table),
      slo_(slo),
      max_batch_(static_cast<std::size_t>(max_batch)),
      leaving_(static_cast<std::size_t>(table.segments())) {}

double Importance::of(const ServerState& state) {
  largest_s_ = 0;
  date_s_ = state.event_s;
  const std::span<const scheduler::Batch> batches = state.stack.batches();
  if (!batches.empty()) {
    // Of the step that is at work: a preemption's first one begins with the cost of that.
    date_s_ = std::max(state.step.begin_s, state.run_begin_s);
    for (std::size_t i = batches.size(); i-- > 0;) {
      add(state.requests, batches[i].samples, batches[i].next_layer);
      run(batches[i].next_layer, i > 0 ? batches[i - 1].next_layer : table_.layers());
    }
  } else if (state.queue.size() < max_batch_ && state.timer_s < ServerState::kNever) {
    date_s_ = std::max(date_s_, state.timer_s);
  }
  std::span<const scheduler::RequestId> queue = state.queue.ids();
  while (!queue.empty()) {
    const std::size_t taken = std::min(max_batch_, queue.size());
    add(state.requests, queue.first(taken), 0);
    run(0, table_.layers());
    queue = queue.subspan(taken);
  }
  return largest_s_;
}

/// The samples `ids` join those that run, before `next_layer`.
void Importance::add(const scheduler::RequestWindow& requests, std::span<const scheduler::RequestId> ids,
                     int next_layer) {
  const int first_exit = table_.segment_of(next_layer);  // where thresholds move, one may be past its exit
  for (const scheduler::RequestId id : ids) {
    const scheduler::Request& request = requests[id];
    const double since_s = slo_.start_s(request);
    Leaving& leaving = leaving_[static_cast<std::size_t>(std::max(request.exit, first_exit))];
    leaving.oldest_s = leaving.samples == 0 ? since_s : std::min(leaving.oldest_s, since_s);
    ++leaving.samples;
  }
  samples_ += static_cast<int>(ids.size());
}

/// They run up to `end_layer`, or until the last one has left.
void Importance::run(int first_layer, int end_layer) {
  while (first_layer < end_layer && samples_ > 0) {
    const int segment = table_.segment_of(first_layer);
    const int segment_end = table_.segment_begin(segment + 1);
    const int last = std::min(segment_end, end_layer);
    date_s_ += table_.latency_s(first_layer, last, samples_);
    first_layer = last;
    if (last < segment_end) continue;
    Leaving& leaving = leaving_[static_cast<std::size_t>(segment)];
    if (leaving.samples == 0) continue;
    largest_s_ = std::max(largest_s_, date_s_ - leaving.oldest_s);
    samples_ -= leaving.samples;
    leaving.samples = 0;
  }
}

}  // namespace fluidbatch::sim
