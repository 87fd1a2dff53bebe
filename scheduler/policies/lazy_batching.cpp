// LazyBatching (Choi, Kim and Rhu, arXiv 2010.13103): at every layer boundary newcomers may preempt the
// active batch, catch up with it and merge, as long as a conservative estimate of the work lets all deadlines
// hold.
#include <algorithm>
#include <limits>
#include <optional>
#include <vector>

#include "scheduler/bisection.h"
#include "scheduler/registry.h"

namespace fluidbatch::scheduler {
namespace {

class LazyBatching final : public Policy {
 public:
  LazyBatching(int max_batch, double slack_factor)
      : max_batch_(static_cast<std::size_t>(max_batch)), slack_factor_(slack_factor) {}

  Decision decide(const ServerView& view) override {
    if (view.idle()) return Decision::start(std::min(view.queue.size(), max_batch_));
    const std::size_t in_flight = view.in_flight();
    if (in_flight >= max_batch_) return Decision::go_on(Decision::Refusal::none, view.table.layers());
    const std::size_t samples = admitted(view, std::min(view.queue.size(), max_batch_ - in_flight));
    if (samples > 0) return Decision::preempt(samples);
    return Decision::go_on(Decision::Refusal::slo, next_chance(view));
  }

  std::unique_ptr<Policy> clone() const override { return std::make_unique<LazyBatching>(*this); }

 private:
  /// The most samples, up to `most`, whose admission leaves every request enough slack for the remaining
  /// single-sample latencies of all in flight and admitted, one after another; slack counts `slack_factor`
  /// times. The test is skipped where a request in flight is late already.
  [[nodiscard]] std::size_t admitted(const ServerView& view, std::size_t most) const {
    double work_s = 0;
    double oldest_s = std::numeric_limits<double>::infinity();
    for (const Batch& batch : view.stack) {
      const double remaining_s = view.table.latency_s(batch.next_layer, view.table.layers(), 1);
      for (const RequestId id : batch.samples) {
        if (view.slo.is_missed_by(view.elapsed_s(id))) return most;
        work_s += remaining_s;
        oldest_s = std::min(oldest_s, view.slo_start_s(id));
      }
    }
    for (std::size_t samples = 0; samples < most; ++samples) {
      // All have the same SLO, so the oldest has the least slack.
      oldest_s = std::min(oldest_s, view.slo_start_s(view.queue[samples]));
      const double slack_s = slack_factor_ * view.slo.slack_s(view.now_s, oldest_s) + kDeadlineTolerance_s;
      const double admitted_s = static_cast<double>(samples + 1) * view.table.single_sample_latency_s();
      if (work_s + admitted_s > slack_s) return samples;
    }
    return most;
  }

  /// The first layer before which one sample may be admitted, if none leaves before that. `admitted` has the
  /// last word: what is looked for here is a little easier, so that rounding can't hide a layer.
  int next_chance(const ServerView& view) {
    const Batch& active = view.active();
    const auto batch = static_cast<int>(active.samples.size());
    if (!work_shrinks(view.table, batch)) return active.next_layer + 1;
    const int end = view.table.layers();
    double waiting_s = view.table.single_sample_latency_s();
    double oldest_s = std::numeric_limits<double>::infinity();
    for (const Batch& one : view.stack) {
      const bool runs = &one == &active;
      const double remaining_s = runs ? 0 : view.table.latency_s(one.next_layer, end, 1);
      waiting_s += static_cast<double>(one.samples.size()) * remaining_s;
      for (const RequestId id : one.samples) oldest_s = std::min(oldest_s, view.slo_start_s(id));
    }
    const double first_s = std::min(oldest_s, view.slo_start_s(view.queue.front()));
    const double easier_s = (2 * kDeadlineTolerance_s + 1e-12 * view.now_s) * std::max(1.0, slack_factor_);
    const auto chance = [&](int layer) {
      const double date_s = view.date_before(layer);
      const double work_s = waiting_s + batch * view.table.latency_s(layer, end, 1);
      const bool someone_late = date_s - oldest_s > view.slo.latency_s - easier_s;
      return someone_late || work_s <= slack_factor_ * view.slo.slack_s(date_s, first_s) + easier_s;
    };
    return first_where(active.next_layer + 1, end, chance);
  }

  /// Whether, layer by layer, the estimate of the work of `batch` samples falls by at least as much as their
  /// slack counts: then there is no chance before the first one.
  bool work_shrinks(const npu::BatchPolicyTable& table, int batch) {
    const auto index = static_cast<std::size_t>(batch);
    if (work_shrinks_.size() <= index) work_shrinks_.resize(index + 1);
    if (!work_shrinks_[index]) {
      bool shrinks = true;
      for (int layer = 0; layer < table.layers(); ++layer) {
        shrinks = shrinks && slack_factor_ * table.latency_s(layer, layer + 1, batch) <=
                                 batch * table.latency_s(layer, layer + 1, 1) * (1 + 1e-9);
      }
      work_shrinks_[index] = shrinks;
    }
    return *work_shrinks_[index];
  }

  std::size_t max_batch_;
  double slack_factor_;
  std::vector<std::optional<bool>> work_shrinks_;  // by batch size
};

const PolicyRegistration kRegistration(
    {.name = "lazy_batching",
     .summary = "newcomers preempt at layer boundaries, catch up and merge, while slack lasts",
     .parameters = {max_batch_parameter(),
                    {.name = "slack_factor",
                     .default_value = 1,
                     .min = 1e-3,
                     .max = 1e6,
                     .integer = false,
                     .meaning = "times that slack counts in the test of deadlines; 1 is conservative"}},
     .traits =
         [](const ParameterValues& values) {
           return PolicyTraits{.max_batch = values.integer("max_batch"), .boundary = Boundary::layer};
         },
     .make =
         [](const ParameterValues& values, const PolicyContext&) {
           return std::make_unique<LazyBatching>(values.integer("max_batch"), values.number("slack_factor"));
         }});

}  // namespace
}  // namespace fluidbatch::scheduler
