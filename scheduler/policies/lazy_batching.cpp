// LazyBatching (Choi, Kim and Rhu, arXiv 2010.13103): at every layer boundary newcomers may preempt the
// active batch, catch up with it and merge, as long as a conservative estimate of the work lets all deadlines
// hold.
#include <algorithm>
#include <limits>

#include "scheduler/policy_registry.h"

namespace fluidbatch::scheduler {
namespace {

class LazyBatching final : public Policy {
 public:
  explicit LazyBatching(int max_batch) : max_batch_(static_cast<std::size_t>(max_batch)) {}

  Decision decide(const ServerView& view) override {
    if (view.idle()) return Decision::start(std::min(view.queue_size(), max_batch_));
    const std::size_t in_flight = view.in_flight();
    if (in_flight >= max_batch_) return Decision::go_on();
    const std::size_t samples = admitted(view, std::min(view.queue_size(), max_batch_ - in_flight));
    return samples == 0 ? Decision::go_on(Decision::Refusal::slo) : Decision::preempt(samples);
  }

  int max_batch() const override { return static_cast<int>(max_batch_); }
  Boundary boundary() const override { return Boundary::layer; }

 private:
  /// The most samples, up to `most`, whose admission leaves every request enough slack for the remaining
  /// single-sample latencies of all in flight and admitted, one after another. The test is skipped where a
  /// request in flight is late already.
  static std::size_t admitted(const ServerView& view, std::size_t most) {
    double work_s = 0;
    double oldest_s = std::numeric_limits<double>::infinity();
    for (const Batch& batch : view.stack) {
      const double remaining_s = view.table.latency_s(batch.next_layer, view.table.layers(), 1);
      for (const RequestId id : batch.samples) {
        if (view.elapsed_s(id) > view.slo_s + kDeadlineTolerance_s) return most;
        work_s += remaining_s;
        oldest_s = std::min(oldest_s, view.slo_start_s(id));
      }
    }
    for (std::size_t samples = 0; samples < most; ++samples) {
      // All have the same SLO, so the oldest has the least slack.
      oldest_s = std::min(oldest_s, view.slo_start_s(view.queue_begin + samples));
      const double slack_s = view.slo_s - (view.now_s - oldest_s) + kDeadlineTolerance_s;
      const double admitted_s = static_cast<double>(samples + 1) * view.table.single_sample_latency_s();
      if (work_s + admitted_s > slack_s) return samples;
    }
    return most;
  }

  std::size_t max_batch_;
};

const PolicyRegistration kRegistration(
    {.name = "lazy_batching",
     .summary = "newcomers preempt at layer boundaries, catch up and merge, while slack lasts",
     .parameters = {max_batch_parameter()},
     .make = [](const ParameterValues& values, const PolicyContext&) {
       return std::make_unique<LazyBatching>(values.integer("max_batch"));
     }});

}  // namespace
}  // namespace fluidbatch::scheduler
