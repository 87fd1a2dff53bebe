#include "sim/measure/recorder.h"

#include <algorithm>
#include <limits>

namespace fluidbatch::sim {

Recorder::Recorder(const npu::BatchPolicyTable& table, const scheduler::Slo& slo,
                   std::uint64_t warmup_requests, RunWatch* watch)
    : table_(table), slo_(slo), warmup_requests_(warmup_requests), watch_(watch) {
  totals_.energy = RunEnergy::nothing_of(table);
  const auto segments = static_cast<std::size_t>(table.segments());
  totals_.exits.resize(segments);
  totals_.segment_busy_s.resize(segments);
  totals_.segment_batch_seconds.resize(segments);
  begun_minus_ended_.resize(static_cast<std::size_t>(table.layers() + 1) *
                            static_cast<std::size_t>(table.max_batch()));
}

void Recorder::report(scheduler::RequestId id) const {
  if (watch_ == nullptr) return;
  watch_->completed.store(id, std::memory_order_relaxed);
  check_wanted(watch_);
}

void Recorder::reserve(std::uint64_t requests) {
  constexpr std::uint64_t kMost = 100'000'000;  // beyond, growing by doubling is the smaller risk
  totals_.latencies_s.reserve(std::min(requests, kMost));
}

void Recorder::refused(double date_s, scheduler::Decision::Refusal refusal, int boundaries) {
  if (date_s < totals_.window_begin_s) return;
  (refusal == scheduler::Decision::Refusal::slo ? totals_.refused_slo : totals_.refused_no_gain) +=
      static_cast<std::uint64_t>(boundaries);
}

/// A step that began in the warm-up: what it did in the window, the layer of the window's begin in
/// proportion.
void Recorder::add_end_of(const Step& step) {
  const double begin_s = totals_.window_begin_s;
  if (step.end_s < begin_s) return;
  totals_.busy_s += step.end_s - begin_s;
  totals_.batch_seconds += (step.end_s - begin_s) * step.batch;
  for (int layer = step.first_layer; layer < step.end_layer; ++layer) {
    const double layer_s = table_.latency_s(layer, layer + 1, step.batch);
    const double end_s = step.end_s - table_.latency_s(layer + 1, step.end_layer, step.batch);
    if (!(end_s > begin_s)) continue;
    const double share = std::min(1.0, (end_s - begin_s) / layer_s);
    add_layer(layer, step.batch, share);
    if (table_.energies() != nullptr) add_rest_energy(layer, step.batch, share);
  }
}

void Recorder::add_rest_energy(int layer, int batch, double share) {
  const npu::DynamicEnergy its = table_.dynamic_energy(layer, batch);
  totals_.energy.dynamic.add(its, share);
  totals_.energy.steps_j += share * its.total_j();
}

/// Of the steps that began in the window, in both ways. A step takes what the layers before its end do, less
/// those before its beginning: over all steps, each boundary counts once for each end there, less the
/// beginnings.
void Recorder::add_energies() {
  for (int batch = 1; batch <= table_.max_batch(); ++batch) {
    std::int64_t times = 0;
    double before_j = 0;  // by the layers before, of those that ran with this batch
    for (int layer = 0; layer <= table_.layers(); ++layer) {
      const std::int64_t begun = begun_minus_ended(layer, batch);
      totals_.energy.steps_j -= static_cast<double>(begun) * before_j;
      times += begun;
      if (times == 0 || layer == table_.layers()) continue;
      const npu::DynamicEnergy its = table_.dynamic_energy(layer, batch);
      totals_.energy.dynamic.add(its, static_cast<double>(times));
      before_j += its.total_j();
    }
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
  if (table_.energies() != nullptr) add_energies();
  const npu::Npu* npu = table_.npu();
  const double peak_macs_per_s = npu == nullptr ? std::numeric_limits<double>::quiet_NaN()
                                                : npu->clock_hz * static_cast<double>(npu->macs_per_cycle());
  totals_.available_macs = totals_.busy_s * peak_macs_per_s;
  return totals_;
}

void Recorder::keep_end_to_end(double end_to_end_s) {
  if (totals_.end_to_end_s.empty()) {  // the first that differs
    totals_.end_to_end_s.reserve(totals_.latencies_s.capacity());
    totals_.end_to_end_s = totals_.latencies_s;
  }
  totals_.end_to_end_s.push_back(end_to_end_s);
}

}  // namespace fluidbatch::sim
