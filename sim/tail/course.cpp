#include "sim/tail/course.h"

#include <algorithm>
#include <utility>

namespace fluidbatch::sim {

void Course::wait_until(double date_s) { date_s_ = std::max(date_s_, date_s); }

void Course::turn_to(const npu::BatchPolicyTable& table, const scheduler::ServerSlo& slo, double scale) {
  table_ = &table;
  slo_ = slo;
  scale_ = scale;
}

void Course::run_stack(const scheduler::RequestWindow& requests, std::span<const scheduler::Batch> batches) {
  for (std::size_t i = batches.size(); i-- > 0;) {
    add(requests, batches[i].samples, batches[i].next_layer);
    run(batches[i].next_layer, i > 0 ? batches[i - 1].next_layer : table_->layers());
  }
}

void Course::run_batch(const scheduler::RequestWindow& requests, std::span<const scheduler::RequestId> ids) {
  add(requests, ids, 0);
  run(0, table_->layers());
}

double Course::take_largest_s() { return std::exchange(largest_s_, 0); }

/// The samples `ids` join those that run, before `next_layer`.
void Course::add(const scheduler::RequestWindow& requests, std::span<const scheduler::RequestId> ids,
                 int next_layer) {
  const int first_exit = table_->segment_of(next_layer);  // where thresholds move, one may be past its exit
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
void Course::run(int first_layer, int end_layer) {
  while (first_layer < end_layer && samples_ > 0) {
    const int segment = table_->segment_of(first_layer);
    const int segment_end = table_->segment_begin(segment + 1);
    const int last = std::min(segment_end, end_layer);
    date_s_ += table_->latency_s(first_layer, last, samples_);
    first_layer = last;
    if (last < segment_end) continue;
    Leaving& leaving = leaving_[static_cast<std::size_t>(segment)];
    if (leaving.samples == 0) continue;
    largest_s_ = std::max(largest_s_, scale_ * (date_s_ - leaving.oldest_s));
    samples_ -= leaving.samples;
    leaving.samples = 0;
  }
}

}  // namespace fluidbatch::sim
