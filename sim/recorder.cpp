#include "sim/recorder.h"

#include <algorithm>
#include <utility>

#include "sim/server.h"

namespace fluidbatch::sim {

Recorder::Recorder(const npu::BatchPolicyTable& table, double slo_s, std::uint64_t warmup_requests,
                   RequestSink sink, std::atomic<std::uint64_t>* progress)
    : table_(table),
      slo_s_(slo_s),
      warmup_requests_(warmup_requests),
      sink_(std::move(sink)),
      progress_(progress) {
  totals_.exits.resize(static_cast<std::size_t>(table.segments()));
}

void Recorder::reserve(std::uint64_t requests) {
  constexpr std::uint64_t kMost = 100'000'000;  // beyond, growing by doubling is the smaller risk
  totals_.latencies_s.reserve(std::min(requests, kMost));
}

void Recorder::admitted(scheduler::RequestId id, const scheduler::Request& request) {
  if (id == warmup_requests_) totals_.window_begin_s = request.arrival_s;
}

void Recorder::started(double date_s, int batch) {
  if (date_s < totals_.window_begin_s) return;
  ++totals_.batches;
  totals_.batched_samples += static_cast<std::uint64_t>(batch);
}

void Recorder::stepped(const Step& step) {
  if (step.end_s < totals_.window_begin_s) return;
  const double duration_s = step.end_s - step.begin_s;
  const double measured_s = step.end_s - std::max(step.begin_s, totals_.window_begin_s);
  const double share = duration_s > 0 ? measured_s / duration_s : 1;
  totals_.busy_s += measured_s;
  totals_.batch_seconds += measured_s * step.batch;
  totals_.useful_macs += share * step.batch * table_.segments_macs(step.first_segment, step.last_segment + 1);
}

void Recorder::completed(scheduler::RequestId id, const scheduler::Request& request) {
  constexpr std::uint64_t kProgressEvery = 1024;
  if (progress_ != nullptr && id % kProgressEvery == 0) progress_->store(id, std::memory_order_relaxed);
  if (sink_) sink_(id, request);
  if (id < warmup_requests_) return;
  const double latency_s = request.completion_s - request.arrival_s;
  totals_.latencies_s.push_back(latency_s);
  if (is_late(latency_s, slo_s_)) ++totals_.late;
  totals_.queueing_s += request.start_s - request.arrival_s;
  totals_.suspended_s += request.suspended_s;
  totals_.executing_s += request.completion_s - request.start_s - request.suspended_s;
  ++totals_.exits[static_cast<std::size_t>(request.exit)];
  totals_.window_end_s = std::max(totals_.window_end_s, request.completion_s);
}

bool is_late(double latency_s, double slo_s) { return latency_s > slo_s + kDeadlineTolerance_s; }

}  // namespace fluidbatch::sim
