// A policy of one's own: serves what waits, at most max_batch at once, and waits a little for company.
// docs/add_a_policy.md says what a view shows and which decisions there are.
#include <algorithm>

#include "scheduler/registry.h"

namespace fluidbatch::scheduler {
namespace {

class MyPolicy final : public Policy {
 public:
  MyPolicy(int max_batch, double delay_s)
      : max_batch_(static_cast<std::size_t>(max_batch)), delay_s_(delay_s) {}

  Decision decide(const ServerView& view) override {
    if (!view.idle()) return Decision::go_on();
    const double latest_s = view.requests[view.queue.front()].arrival_s + delay_s_;
    if (view.queue.size() < max_batch_ && view.now_s < latest_s) return Decision::wait_until(latest_s);
    return Decision::start(std::min(view.queue.size(), max_batch_));
  }

  std::unique_ptr<Policy> clone() const override { return std::make_unique<MyPolicy>(*this); }

 private:
  std::size_t max_batch_;
  double delay_s_;
};

const PolicyRegistration kRegistration({.name = "my_policy",
                                        .summary = "waits a little for company",
                                        .parameters = {max_batch_parameter(),
                                                       {.name = "delay_ms",
                                                        .default_value = 0.5,
                                                        .min = 0,
                                                        .max = 1e6,
                                                        .integer = false,
                                                        .meaning = "longest wait of the oldest request"}},
                                        .traits = traits_of_max_batch,
                                        .make = [](const ParameterValues& values, const PolicyContext&) {
                                          return std::make_unique<MyPolicy>(values.integer("max_batch"),
                                                                            values.number("delay_ms") / 1000);
                                        }});

}  // namespace
}  // namespace fluidbatch::scheduler
