#include "sim/recorder.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace fluidbatch::sim {

Recorder::Recorder(const npu::BatchPolicyTable& table, const Slo& slo, std::uint64_t warmup_requests,
                   RequestSink sink, std::atomic<std::uint64_t>* progress)
    : table_(table),
      slo_(slo),
      warmup_requests_(warmup_requests),
      sink_(std::move(sink)),
      progress_(progress) {
  const auto segments = static_cast<std::size_t>(table.segments());
  totals_.exits.resize(segments);
  totals_.segment_busy_s.resize(segments);
  totals_.segment_batch_seconds.resize(segments);
}

void Recorder::reserve(std::uint64_t requests) {
  constexpr std::uint64_t kMost = 100'000'000;  // beyond, growing by doubling is the smaller risk
  totals_.latencies_s.reserve(std::min(requests, kMost));
}

void Recorder::admitted(scheduler::RequestId id, const scheduler::Request& request) {
  if (id == warmup_requests_) totals_.window_begin_s = request.arrival_s;
}

void Recorder::started(double date_s, int samples, bool preempting) {
  if (date_s < totals_.window_begin_s) return;
  if (preempting) ++totals_.preemptions;
  ++totals_.batches;
  totals_.batched_samples += static_cast<std::uint64_t>(samples);
}

void Recorder::merged(double date_s) {
  if (date_s >= totals_.window_begin_s) ++totals_.merges;
}

void Recorder::refused(double date_s, scheduler::Decision::Refusal refusal) {
  if (date_s < totals_.window_begin_s) return;
  ++(refusal == scheduler::Decision::Refusal::slo ? totals_.refused_slo : totals_.refused_no_gain);
}

void Recorder::stepped(const Step& step) {
  if (step.end_s < totals_.window_begin_s) return;
  double measured_s = step.end_s - step.begin_s;
  double share = 1;
  if (step.begin_s < totals_.window_begin_s && measured_s > 0) {
    share = (step.end_s - totals_.window_begin_s) / measured_s;
    measured_s = step.end_s - totals_.window_begin_s;
  }
  totals_.busy_s += measured_s;
  totals_.batch_seconds += measured_s * step.batch;
  totals_.useful_macs += share * step.batch * table_.macs(step.first_layer, step.end_layer);
  count_segments(step, share);
}

void Recorder::keep(double latency_s, double end_to_end_s) {
  if (totals_.end_to_end_s.empty() && end_to_end_s != latency_s) {
    totals_.end_to_end_s.reserve(totals_.latencies_s.capacity());
    totals_.end_to_end_s = totals_.latencies_s;
    totals_.end_to_end_s.push_back(end_to_end_s);
  } else if (!totals_.end_to_end_s.empty()) {
    totals_.end_to_end_s.push_back(end_to_end_s);
  }
  totals_.latencies_s.push_back(latency_s);
}

/// Splits a step over the segments that it goes through. A step that began in the warm-up counts in
/// proportion.
void Recorder::count_segments(const Step& step, double share) {
  int layer = step.first_layer;
  while (layer < step.end_layer) {
    const int segment = table_.segment_of(layer);
    const int end = std::min(step.end_layer, table_.segment_begin(segment + 1));
    const double time_s = share * table_.latency_s(layer, end, step.batch);
    totals_.segment_busy_s[static_cast<std::size_t>(segment)] += time_s;
    totals_.segment_batch_seconds[static_cast<std::size_t>(segment)] += time_s * step.batch;
    layer = end;
  }
}

void Recorder::completed(scheduler::RequestId id, const scheduler::Request& request) {
  constexpr std::uint64_t kProgressEvery = 1024;
  if (progress_ != nullptr && id % kProgressEvery == 0) progress_->store(id, std::memory_order_relaxed);
  if (sink_) sink_(id, request);
  if (id < warmup_requests_) return;
  totals_.window_end_s = std::max(totals_.window_end_s, request.completion_s);
  if (request.dropped) {
    constexpr double kDropped = std::numeric_limits<double>::infinity();
    keep(kDropped, kDropped);
    ++totals_.late;
    ++totals_.dropped;
    return;
  }
  const double latency_s = request.completion_s - request.arrival_s;
  keep(latency_s, slo_.end_to_end_s(request));
  if (slo_.is_missed_by(request)) ++totals_.late;
  totals_.uplink_s += request.arrival_s - request.sent_s;
  totals_.queueing_s += request.start_s - request.arrival_s;
  totals_.suspended_s += request.suspended_s;
  totals_.executing_s += request.completion_s - request.start_s - request.suspended_s;
  ++totals_.exits[static_cast<std::size_t>(request.exit)];
  if (request.correct >= 0) {
    ++totals_.judged;
    totals_.correct += static_cast<std::uint64_t>(request.correct);
  }
}

}  // namespace fluidbatch::sim
