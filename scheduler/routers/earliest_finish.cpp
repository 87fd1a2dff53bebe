// To the server that would answer the request first, as far as can be foreseen without exits and arrivals.
#include <vector>

#include "scheduler/registry.h"
#include "scheduler/routing.h"

namespace fluidbatch::scheduler {
namespace {

class EarliestFinish final : public Router {
 public:
  std::size_t route(const FleetView& view) override {
    times_s_.clear();
    for (std::size_t i = 0; i < view.servers(); ++i) times_s_.push_back(view.earliest_finish_s(i));
    return first_of_least(times_s_);
  }
  std::unique_ptr<Router> clone() const override { return std::make_unique<EarliestFinish>(*this); }

 private:
  std::vector<double> times_s_;  // of each server, kept for its room alone
};

const RouterRegistration kRegistration({.name = "earliest_finish",
                                        .summary = "the server that would have answered the request first",
                                        .parameters = {},
                                        .make = [](const ParameterValues&) {
                                          return std::make_unique<EarliestFinish>();
                                        }});

}  // namespace
}  // namespace fluidbatch::scheduler
