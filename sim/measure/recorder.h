// Collects a run's statistics while it goes on, with 8 bytes kept per request; 8 more with an uplink, and 8
// more where an exit control moves the thresholds.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "npu_model/batch_policy_table.h"
#include "scheduler/slo.h"
#include "sim/core/observer.h"
#include "sim/measure/run_energy.h"
#include "sim/measure/run_watch.h"

namespace fluidbatch::sim {

/// Requests that left by one exit.
struct ExitCount {
  std::uint64_t taken = 0;
  std::uint64_t judged = 0;   ///< of them, those of which it is known whether the answer is right
  std::uint64_t correct = 0;  ///< and of these, those with a right one
};

/// Sums over the measured requests (those after the warm-up) and over the measured window: from the arrival
/// of the first of them to the end of the run, so that no step outlasts it.
struct Totals {
  std::vector<double> latencies_s;  ///< in order of request number; infinity for a dropped one
  /// From sending to answer, likewise; empty as long as both are the same for all, as they are without an
  /// uplink.
  std::vector<double> end_to_end_s;
  std::uint64_t late = 0;  ///< dropped ones included
  std::uint64_t dropped = 0;
  double uplink_s = 0;  ///< from sending to arrival
  double queueing_s = 0;
  double suspended_s = 0;
  double executing_s = 0;
  std::vector<ExitCount> exits;
  /// In force where each of the served ones left; empty where they don't change in the run.
  std::vector<double> thresholds;
  std::uint64_t forced = 0;  ///< those that left only for their deadline

  double window_begin_s = std::numeric_limits<double>::infinity();
  double busy_s = 0;
  double batch_seconds = 0;  ///< integral of the active batch size
  double useful_macs = 0;
  double available_macs = 0;  ///< of the NPU in its busy time; NaN where its latencies are a table
  RunEnergy energy;
  std::uint64_t preemptions = 0;
  std::uint64_t merges = 0;
  std::uint64_t refused_no_gain = 0;
  std::uint64_t refused_slo = 0;
  std::vector<double> segment_busy_s;         ///< time in each segment
  std::vector<double> segment_batch_seconds;  ///< integral of the batch size over it
  std::uint64_t batches = 0;          ///< taken from the queue in the window, newcomers of a preemption too
  std::uint64_t batched_samples = 0;  ///< in them, those of the warm-up too

  // Of a site, or a part of one (sim/measure/site_recorder.h).

  bool of_site = false;
  std::size_t npus = 1;
  /// Whether each is late, in order of request number; empty where one bound says it for all.
  std::vector<bool> late_in_order;
  double normalised_latency = 0;  ///< sum, over the served ones, of latency over that alone on its NPU
  double progress = 0;            ///< of the inverse, the means of the services' served ones, summed up
};

/// Observes a run, and keeps what its statistics are made of.
class Recorder final : public Observer {
 public:
  /// `watch`, where not null, sees the run; where it says stop, `completed` throws RunStopped.
  Recorder(const npu::BatchPolicyTable& table, const scheduler::Slo& slo, std::uint64_t warmup_requests,
           RunWatch* watch = nullptr);

  /// From here on an exit control moves the thresholds. To be called before the first request.
  void keep_thresholds() { keeps_thresholds_ = true; }
  /// Makes room for a run of about `requests`, so that memory does not double on the way.
  void reserve(std::uint64_t requests);

  void admitted(scheduler::RequestId id, const scheduler::Request& request) override;
  /// The first measured request arrives at this date; `admitted` says it too.
  void begin_window(double date_s) { totals_.window_begin_s = date_s; }
  void started(double date_s, int samples, bool preempting) override;
  void stepped(const Step& step) override;
  void merged(double date_s) override {
    if (date_s >= totals_.window_begin_s) ++totals_.merges;
  }
  void refused(double date_s, scheduler::Decision::Refusal refusal, int boundaries) override;
  void completed(scheduler::RequestId id, const scheduler::Request& request) override;

  /// To be called once, when the run is over.
  Totals& finish();
  /// After that.
  [[nodiscard]] const Totals& totals() const { return totals_; }

 private:
  void report(scheduler::RequestId id) const;
  void measure(const scheduler::Request& request);
  void keep(double latency_s, double end_to_end_s);
  void keep_end_to_end(double end_to_end_s);
  [[nodiscard]] std::int64_t& begun_minus_ended(int layer, int batch) {
    return begun_minus_ended_[static_cast<std::size_t>(layer) * static_cast<std::size_t>(table_.max_batch()) +
                              static_cast<std::size_t>(batch - 1)];
  }
  void add_end_of(const Step& step);
  void add_layer(int layer, int batch, double times);
  void add_rest_energy(int layer, int batch, double share);
  void add_energies();

  const npu::BatchPolicyTable& table_;
  scheduler::Slo slo_;
  std::uint64_t warmup_requests_;
  RunWatch* watch_;
  bool keeps_thresholds_ = false;
  Totals totals_;
  // For each layer and batch size, steps that began there minus steps that ended before it: summed up over
  // the layers it says how often each was run, which costs two additions a step, however long.
  std::vector<std::int64_t> begun_minus_ended_;  // layer by layer
};

// What is called for every request or step, where the server can see it.

inline void Recorder::admitted(scheduler::RequestId id, const scheduler::Request& request) {
  if (id == warmup_requests_) begin_window(request.arrival_s);
}

inline void Recorder::started(double date_s, int samples, bool preempting) {
  if (date_s < totals_.window_begin_s) return;
  if (preempting) ++totals_.preemptions;
  ++totals_.batches;
  totals_.batched_samples += static_cast<std::uint64_t>(samples);
}

inline void Recorder::stepped(const Step& step) {
  if (step.begin_s < totals_.window_begin_s) return add_end_of(step);
  totals_.busy_s += step.end_s - step.begin_s;
  totals_.batch_seconds += (step.end_s - step.begin_s) * step.batch;
  ++begun_minus_ended(step.first_layer, step.batch);
  --begun_minus_ended(step.end_layer, step.batch);
}

inline void Recorder::completed(scheduler::RequestId id, const scheduler::Request& request) {
  constexpr std::uint64_t kReportEvery = 1024;
  if (id % kReportEvery == 0) report(id);
  if (id >= warmup_requests_) measure(request);
}

inline void Recorder::measure(const scheduler::Request& request) {
  if (request.dropped) {
    constexpr double kDropped = std::numeric_limits<double>::infinity();
    ++totals_.late;
    ++totals_.dropped;
    return keep(kDropped, kDropped);
  }
  const double latency_s = request.completion_s - request.arrival_s;
  if (slo_.is_missed_by(request)) ++totals_.late;
  totals_.uplink_s += request.arrival_s - request.sent_s;
  totals_.queueing_s += request.start_s - request.arrival_s;
  totals_.suspended_s += request.suspended_s;
  totals_.executing_s += request.completion_s - request.start_s - request.suspended_s;
  ExitCount& exit = totals_.exits[static_cast<std::size_t>(request.exit)];
  ++exit.taken;
  if (request.correct >= 0) {
    ++exit.judged;
    exit.correct += static_cast<std::uint64_t>(request.correct);
  }
  if (keeps_thresholds_) {
    totals_.thresholds.push_back(request.threshold);
    totals_.forced += request.forced ? 1 : 0;
  }
  keep(latency_s, slo_.end_to_end_s(request));
}

inline void Recorder::keep(double latency_s, double end_to_end_s) {
  const bool the_same = totals_.end_to_end_s.empty() && end_to_end_s == latency_s;
  if (!the_same) keep_end_to_end(end_to_end_s);
  totals_.latencies_s.push_back(latency_s);
}

}  // namespace fluidbatch::sim
