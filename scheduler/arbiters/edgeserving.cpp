// EdgeServing (arXiv 2605.05527), with its rule of which model is next: the one after whose batch the others
// are the least urgent.
//
// A service with a queue would run B = min(queue, max_batch) of it up to an exit, the deepest at which the
// longest wait in the batch and the latency L up to there stay within its SLO, or else the first. Its score
// is the urgency of all others that are queued, of its own queue and of the other ones, when that batch has
// run: the sum of exp((wait + L) / SLO - 1), each at most 10. The smallest score goes first.
//
// Which batch and which exits are really taken is up to the policy and the exit control; the score counts
// with those that EdgeServing would take. L is the model's latency (the paper: a profile's 95th percentile),
// heads of the exits on the way included. Every request counts with the SLO of its own service; the paper has
// one for all.
#include <algorithm>

#include "scheduler/registry.h"

namespace fluidbatch::scheduler {
namespace {

constexpr double kMostUrgent = 10;
constexpr double kLogMostUrgent = 2.302585092994046;

/// e^x for -1 <= x <= log(10) from additions, multiplications and divisions only, hence the same bits
/// wherever doubles are IEEE 754. Relative error below 1e-15: the Taylor series of e^(x/4) to the fourth
/// power, whose first term left out is below 3e-16.
double exponential(double x) {
  const double quarter = x / 4;
  double sum = 1;
  for (int n = 14; n > 0; --n) sum = 1 + sum * quarter / n;
  const double square = sum * sum;
  return square * square;
}

class EdgeServing final : public Arbiter {
 public:
  explicit EdgeServing(int max_batch) : max_batch_(static_cast<std::size_t>(max_batch)) {}

  double rank(const ArbiterView& view, const Contender& contender) const override {
    const ServiceView& chosen = view.services[contender.service];
    const std::size_t batch =
        std::min({chosen.queue.size(), max_batch_, static_cast<std::size_t>(chosen.table->max_batch())});
    const double date_s = view.now_s + latency_s(view, chosen, batch);
    double score = 0;
    for (const ServiceView& service : view.services) {
      score += urgency(view, service, service.queue.subspan(&service == &chosen ? batch : 0), date_s);
    }
    return score;
  }

  std::unique_ptr<Arbiter> clone() const override { return std::make_unique<EdgeServing>(*this); }

 private:
  /// Of the first `batch` in the queue of `service`, up to the exit that they would leave at.
  static double latency_s(const ArbiterView& view, const ServiceView& service, std::size_t batch) {
    double wait_s = 0;  // the longest
    for (const RequestId id : service.queue.first(batch)) {
      wait_s = std::max(wait_s, view.now_s - service.slo.start_s(view.requests[id]));
    }
    const npu::BatchPolicyTable& table = *service.table;
    for (int exit = table.segments() - 1;; --exit) {
      const double latency_s = table.latency_s(0, table.segment_begin(exit + 1), static_cast<int>(batch));
      if (exit == 0 || !service.slo.is_missed_by(wait_s + latency_s)) return latency_s;
    }
  }

  /// The sum over `queued`, requests of `service`, at `date_s`.
  static double urgency(const ArbiterView& view, const ServiceView& service,
                        std::span<const RequestId> queued, double date_s) {
    const double slo_s = service.slo.latency_s;
    if (slo_s <= 0) return kMostUrgent * static_cast<double>(queued.size());  // the answer's way takes it all
    const auto exponent = [&](RequestId id) {
      return (date_s - service.slo.start_s(view.requests[id])) / slo_s - 1;
    };
    // Those who count the most stand first, where the queue is in order of deadlines: a long queue is mostly
    // they.
    auto first = queued.begin();
    if (!service.slo.from_sending) {
      first = std::partition_point(queued.begin(), queued.end(),
                                   [&](RequestId id) { return exponent(id) >= kLogMostUrgent; });
    }
    double sum = kMostUrgent * static_cast<double>(first - queued.begin());
    for (auto id = first; id != queued.end(); ++id) {
      const double x = exponent(*id);
      sum += x >= kLogMostUrgent ? kMostUrgent : exponential(x);
    }
    return sum;
  }

  std::size_t max_batch_;
};

const ArbiterRegistration kRegistration(
    {.name = "edgeserving",
     .summary = "the service after whose batch the others are the least urgent (EdgeServing)",
     .parameters = {max_batch_parameter()},
     .make = [](const ParameterValues& values) {
       return std::make_unique<EdgeServing>(values.integer("max_batch"));
     }});

}  // namespace
}  // namespace fluidbatch::scheduler
