// Best fit: to the server that would answer the request last, but still in time, so that others stay free for
// requests that are in more of a hurry. Where nobody is in time, to the one that would answer it first.
#include <algorithm>
#include <limits>
#include <vector>

#include "scheduler/registry.h"
#include "scheduler/routing.h"
#include "scheduler/slo.h"

namespace fluidbatch::scheduler {
namespace {

class MostLoadedThatFits final : public Router {
 public:
  std::size_t route(const FleetView& view) override {
    times_s_.clear();
    double latest_s = -std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < view.servers(); ++i) {
      times_s_.push_back(view.earliest_finish_s(i));
      if (fits(view, times_s_[i])) latest_s = std::max(latest_s, times_s_[i]);
    }
    const auto found = std::ranges::find_if(times_s_, [&](double time_s) {
      return fits(view, time_s) && time_s >= latest_s - kDeadlineTolerance_s;
    });
    return found == times_s_.end() ? first_of_least(times_s_)
                                   : static_cast<std::size_t>(found - times_s_.begin());
  }
  std::unique_ptr<Router> clone() const override { return std::make_unique<MostLoadedThatFits>(*this); }

 private:
  static bool fits(const FleetView& view, double finish_s) {
    return finish_s <= view.deadline_s() + kDeadlineTolerance_s;
  }

  std::vector<double> times_s_;  // of each server, kept for its room alone
};

const RouterRegistration kRegistration(
    {.name = "most_loaded_that_fits",
     .summary = "the server that would answer last and still in time, or else first",
     .parameters = {},
     .make = [](const ParameterValues&) { return std::make_unique<MostLoadedThatFits>(); }});

}  // namespace
}  // namespace fluidbatch::scheduler
