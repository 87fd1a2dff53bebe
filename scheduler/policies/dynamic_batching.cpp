// Timeout-based adaptive batching, with the semantics of TensorFlow Serving's and Triton's batchers: an idle
// NPU starts a full batch at once, or what there is when the oldest request has waited for the delay.
// A batch runs to its end; it shrinks as samples exit and is not refilled.
#include <algorithm>

#include "scheduler/registry.h"

namespace fluidbatch::scheduler {
namespace {

class DynamicBatching final : public Policy {
 public:
  DynamicBatching(int max_batch, double max_queue_delay_s)
      : max_batch_(max_batch), max_queue_delay_s_(max_queue_delay_s) {}

  Decision decide(const ServerView& view) override {
    const auto samples = std::min(view.queue.size(), static_cast<std::size_t>(max_batch_));
    const double timeout_s = view.requests[view.queue.front()].arrival_s + max_queue_delay_s_;
    if (samples == static_cast<std::size_t>(max_batch_) || view.now_s >= timeout_s) {
      return Decision::start(samples);
    }
    return Decision::wait_until(timeout_s);
  }

  std::unique_ptr<Policy> clone() const override { return std::make_unique<DynamicBatching>(*this); }

 private:
  int max_batch_;
  double max_queue_delay_s_;
};

const PolicyRegistration kRegistration(
    {.name = "dynamic_batching",
     .summary = "start when max_batch are queued or the oldest has waited for the delay",
     .parameters = {max_batch_parameter(),
                    {.name = "max_queue_delay_ms",
                     .default_value = 0,
                     .min = 0,
                     .max = 3.6e6,
                     .integer = false,
                     .meaning = "longest time that the oldest request waits for company; 0 is greedy"}},
     .traits = traits_of_max_batch,
     .make = [](const ParameterValues& values, const PolicyContext&) {
       return std::make_unique<DynamicBatching>(values.integer("max_batch"),
                                                values.number("max_queue_delay_ms") / 1000.0);
     }});

}  // namespace
}  // namespace fluidbatch::scheduler
