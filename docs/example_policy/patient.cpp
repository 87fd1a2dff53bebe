// Waits for company, and lets one newcomer catch up with a lonely sample before the last segment.
#include <algorithm>

#include "scheduler/registry.h"

namespace fluidbatch::scheduler {
namespace {

class Patient final : public Policy {
 public:
  Patient(int max_batch, int min_batch, double delay_s)
      : max_batch_(static_cast<std::size_t>(max_batch)),
        min_batch_(static_cast<std::size_t>(min_batch)),
        delay_s_(delay_s) {}

  Decision decide(const ServerView& view) override {
    if (view.idle()) {
      const double latest_s = view.requests[view.queue.front()].arrival_s + delay_s_;
      if (view.queue.size() < min_batch_ && view.now_s < latest_s) return Decision::wait_until(latest_s);
      return Decision::start(std::min(view.queue.size(), max_batch_));
    }
    const bool last_segment = view.active().next_layer == view.table.segment_begin(view.table.segments() - 1);
    const bool lonely = view.in_flight() == 1 && max_batch_ > 1;
    return last_segment && lonely ? Decision::preempt(1) : Decision::go_on();
  }

  std::unique_ptr<Policy> clone() const override { return std::make_unique<Patient>(*this); }

 private:
  std::size_t max_batch_;
  std::size_t min_batch_;
  double delay_s_;
};

const PolicyRegistration kRegistration(
    {.name = "patient",
     .summary = "waits for company; lets a newcomer catch up with a lonely sample",
     .parameters = {max_batch_parameter(),
                    {.name = "min_batch",
                     .default_value = 2,
                     .min = 1,
                     .max = 1024,
                     .integer = true,
                     .meaning = "requests to wait for"},
                    {.name = "delay_ms",
                     .default_value = 10,
                     .min = 0,
                     .max = 3.6e6,
                     .integer = false,
                     .meaning = "longest wait of the oldest request"}},
     .traits =
         [](const ParameterValues& values) {
           return PolicyTraits{.max_batch = values.integer("max_batch"), .boundary = Boundary::segment};
         },
     .make =
         [](const ParameterValues& values, const PolicyContext&) {
           return std::make_unique<Patient>(values.integer("max_batch"), values.integer("min_batch"),
                                            values.number("delay_ms") / 1000.0);
         }});

}  // namespace
}  // namespace fluidbatch::scheduler
