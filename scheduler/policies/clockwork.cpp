// Clockwork (OSDI'20), for one model on one accelerator: batch sizes are powers of two, the largest that
// enough requests can still take in time; what can't make its deadline is dropped, never run late. Exits are
// ignored: a batch counts with the latency of all its layers. Ours: a request that is too late for the chosen
// size is dropped at once, where Clockwork lets it wait for a smaller batch that then comes after this one.
#include <algorithm>

#include "scheduler/registry.h"

namespace fluidbatch::scheduler {
namespace {

class Clockwork final : public Policy {
 public:
  explicit Clockwork(int max_batch) : max_batch_(max_batch) {}

  Decision decide(const ServerView& view) override {
    std::size_t size = 1;
    while (2 * size <= static_cast<std::size_t>(max_batch_) && in_time(view, 2 * size) >= 2 * size) size *= 2;
    const std::size_t late = view.queue.size() - in_time(view, size);
    return late > 0 ? Decision::drop(late) : Decision::start(size);
  }

  std::unique_ptr<Policy> clone() const override { return std::make_unique<Clockwork>(*this); }

 private:
  /// Queued requests that a batch of `size`, started now, completes before their deadline: the youngest ones.
  static std::size_t in_time(const ServerView& view, std::size_t size) {
    const double latency_s = view.table.latency_s(0, view.table.layers(), static_cast<int>(size));
    const auto first = std::find_if(view.queue.begin(), view.queue.end(), [&](RequestId id) {
      return !view.slo.is_missed_by(view.elapsed_s(id) + latency_s);
    });
    return static_cast<std::size_t>(view.queue.end() - first);
  }

  int max_batch_;
};

const PolicyRegistration kRegistration(
    {.name = "clockwork",
     .summary = "the largest power of two that meets deadlines; drops what can't (Clockwork)",
     .parameters = {max_batch_parameter()},
     .traits = traits_of_max_batch,
     .make = [](const ParameterValues& values,
                const PolicyContext&) { return std::make_unique<Clockwork>(values.integer("max_batch")); },
     .needs_deadlines_in_order = true});

}  // namespace
}  // namespace fluidbatch::scheduler
