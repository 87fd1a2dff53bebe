// Least slack first: what is left until the deadline less the time that the request takes alone, exits
// ignored. In flight, too, the whole network counts, so that the slack of a request that runs goes on
// shrinking.
#include "scheduler/registry.h"

namespace fluidbatch::scheduler {
namespace {

class LeastSlack final : public Arbiter {
 public:
  double rank(const ArbiterView& view, const Contender& contender) const override {
    const double alone_s = view.services[contender.service].table->single_sample_latency_s();
    return (contender.deadline_s - view.now_s) - alone_s;
  }
  std::unique_ptr<Arbiter> clone() const override { return std::make_unique<LeastSlack>(*this); }
};

const ArbiterRegistration kRegistration(
    {.name = "least_slack",
     .summary = "the service whose oldest request has the least time to spare before its deadline",
     .parameters = {},
     .make = [](const ParameterValues&) { return std::make_unique<LeastSlack>(); },
     .may_preempt = true});

}  // namespace
}  // namespace fluidbatch::scheduler
