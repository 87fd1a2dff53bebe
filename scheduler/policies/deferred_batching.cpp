// Symphony's deferred batching: an idle NPU waits as long as one more sample would still let the oldest
// request meet its deadline, and dispatches at the latest moment at which it would. Exits are ignored: a
// batch counts with the latency of all its layers.
#include <algorithm>
#include <cmath>
#include <limits>

#include "scheduler/registry.h"

namespace fluidbatch::scheduler {
namespace {

class DeferredBatching final : public Policy {
 public:
  explicit DeferredBatching(int max_batch) : max_batch_(max_batch) {}

  Decision decide(const ServerView& view) override {
    const auto samples = std::min(view.queue.size(), static_cast<std::size_t>(max_batch_));
    const int size = static_cast<int>(samples);
    if (size == max_batch_ || std::isinf(view.slo.latency_s)) return Decision::start(samples);
    double oldest_s = std::numeric_limits<double>::infinity();
    for (const RequestId id : view.queue.first(samples)) oldest_s = std::min(oldest_s, view.slo_start_s(id));
    const double latest_s =
        view.slo.deadline_s(oldest_s) - view.table.latency_s(0, view.table.layers(), size + 1);
    return view.now_s >= latest_s ? Decision::start(samples) : Decision::wait_until(latest_s);
  }

  std::unique_ptr<Policy> clone() const override { return std::make_unique<DeferredBatching>(*this); }

 private:
  int max_batch_;
};

const PolicyRegistration kRegistration(
    {.name = "deferred_batching",
     .summary = "start at the latest moment at which one more sample would fit the deadline (Symphony)",
     .parameters = {max_batch_parameter()},
     .traits = traits_of_max_batch,
     .make = [](const ParameterValues& values, const PolicyContext&) {
       return std::make_unique<DeferredBatching>(values.integer("max_batch"));
     }});

}  // namespace
}  // namespace fluidbatch::scheduler
