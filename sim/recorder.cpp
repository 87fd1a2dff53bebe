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
  begun_minus_ended_.resize(static_cast<std::size_t>(table.layers() + 1) *
                            static_cast<std::size_t>(table.max_batch()));
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

void Recorder::refused(double date_s, scheduler::Decision::Refusal refusal, int boundaries) {
  if (date_s < totals_.window_begin_s) return;
  (refusal == scheduler::Decision::Refusal::slo ? totals_.refused_slo : totals_.refused_no_gain) +=
      static_cast<std::uint64_t>(boundaries);
}

void Recorder::stepped(const Step& step) {
  const double begin_s = std::max(step.begin_s, totals_.window_begin_s);
  if (step.end_s < begin_s) return;  // in the warm-up
  totals_.busy_s += step.end_s - begin_s;
  totals_.batch_seconds += (step.end_s - begin_s) * step.batch;
  if (begin_s == step.begin_s) {
    count_layers(step);
  } else {
    add_from(begin_s, step);
  }
}

void Recorder::count_layers(const Step& step) {
  ++begun_minus_ended(step.first_layer, step.batch);
  --begun_minus_ended(step.end_layer, step.batch);
}

/// A step that began in the warm-up: what it did from `begin_s` on, the layer of that date in proportion.
void Recorder::add_from(double begin_s, const Step& step) {
  for (int layer = step.first_layer; layer < step.end_layer; ++layer) {
    const double layer_s = table_.latency_s(layer, layer + 1, step.batch);
    const double end_s = step.end_s - table_.latency_s(layer + 1, step.end_layer, step.batch);
    if (end_s > begin_s) add_layer(layer, step.batch, std::min(1.0, (end_s - begin_s) / layer_s));
  }
}

void Recorder::add_layer(int layer, int batch, double times) {
  const auto segment = static_cast<std::size_t>(table_.segment_of(layer));
  const double time_s = times * table_.latency_s(layer, layer + 1, batch);
  totals_.segment_busy_s[segment] += time_s;
  totals_.segment_batch_seconds[segment] += time_s * batch;
  totals_.useful_macs += times * batch * table_.macs(layer, layer + 1);
}

Totals& Recorder::finish() {
  for (int batch = 1; batch <= table_.max_batch(); ++batch) {
    std::int64_t times = 0;
    for (int layer = 0; layer < table_.layers(); ++layer) {
      times += begun_minus_ended(layer, batch);
      add_layer(layer, batch, static_cast<double>(times));
    }
  }
  return totals_;
}

inline void Recorder::keep(double latency_s, double end_to_end_s) {
  if (totals_.end_to_end_s.empty() && end_to_end_s != latency_s) {
    totals_.end_to_end_s.reserve(totals_.latencies_s.capacity());
    totals_.end_to_end_s = totals_.latencies_s;
    totals_.end_to_end_s.push_back(end_to_end_s);
  } else if (!totals_.end_to_end_s.empty()) {
    totals_.end_to_end_s.push_back(end_to_end_s);
  }
  totals_.latencies_s.push_back(latency_s);
}

[[gnu::flatten]] void Recorder::completed(scheduler::RequestId id, const scheduler::Request& request) {
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
