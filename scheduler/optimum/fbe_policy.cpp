#include "scheduler/optimum/fbe_policy.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

#include "scheduler/forecast.h"

namespace fluidbatch::scheduler {
namespace {

class FbePolicy final : public Policy {
 public:
  FbePolicy(std::shared_ptr<const FbeTable> table, std::optional<ExpectedCourses> guard)
      : table_(std::move(table)), guard_(std::move(guard)) {}

  Decision decide(const ServerView& view) override {
    const std::size_t queued = view.queue.size();
    const auto most = static_cast<std::size_t>(table_->max_batch());
    FbeState state;
    state.queue = static_cast<int>(std::min(queued, static_cast<std::size_t>(table_->longest_queue())));
    if (view.idle()) {
      const int start = table_->newcomers(state);
      if (start > 0) return Decision::start(static_cast<std::size_t>(start));
      return Decision::wait_for_arrival(std::min(queued, most));
    }
    const Batch& active = view.active();
    state.segment = view.table.segment_of(active.next_layer);
    const bool known = view.stack.size() == 1 && active.samples.size() < most && state.segment >= 1 &&
                       state.segment < table_->segments();
    if (!known) return Decision::go_on();
    state.active = static_cast<int>(active.samples.size());
    const auto newcomers = static_cast<std::size_t>(table_->newcomers(state));
    if (newcomers == 0) return Decision::go_on(Decision::Refusal::no_gain);
    if (guard_) {
      const Courses& courses = guard_->of(view.table, active.next_layer, active.samples.size(), newcomers);
      if (makes_somebody_late(view, courses)) return Decision::go_on(Decision::Refusal::slo);
    }
    return Decision::preempt(newcomers);
  }

  std::unique_ptr<Policy> clone() const override { return std::make_unique<FbePolicy>(*this); }

 private:
  std::shared_ptr<const FbeTable> table_;
  std::optional<ExpectedCourses> guard_;
};

}  // namespace

std::unique_ptr<Policy> make_fbe_policy(std::shared_ptr<const FbeTable> table) {
  return std::make_unique<FbePolicy>(std::move(table), std::nullopt);
}

std::unique_ptr<Policy> make_guarded_fbe_policy(std::shared_ptr<const FbeTable> table,
                                                const std::vector<double>& exit_rates) {
  const auto max_batch = static_cast<std::size_t>(table->max_batch());
  return std::make_unique<FbePolicy>(std::move(table), ExpectedCourses(go_on_of(exit_rates), max_batch));
}

}  // namespace fluidbatch::scheduler
