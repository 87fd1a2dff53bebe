// To the server with the least work left, each request counted with what its layers take alone: batches,
// which make work cheaper, are not foreseen.
#include <vector>

#include "scheduler/registry.h"
#include "scheduler/routing.h"

namespace fluidbatch::scheduler {
namespace {

class LeastWork final : public Router {
 public:
  std::size_t route(const FleetView& view) override {
    times_s_.clear();
    for (std::size_t i = 0; i < view.servers(); ++i) times_s_.push_back(view.remaining_work_s(i));
    return first_of_least(times_s_);
  }
  std::unique_ptr<Router> clone() const override { return std::make_unique<LeastWork>(*this); }

 private:
  std::vector<double> times_s_;  // of each server, kept for its room alone
};

const RouterRegistration kRegistration(
    {.name = "least_work",
     .summary = "the server with the least remaining single-sample latencies of all its requests",
     .parameters = {},
     .make = [](const ParameterValues&) { return std::make_unique<LeastWork>(); }});

}  // namespace
}  // namespace fluidbatch::scheduler
