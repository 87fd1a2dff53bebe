// Earliest deadline first, one sample at a time. All requests of a run have the same SLO, so deadlines are in
// order of arrival, nobody ever has a reason to preempt, and EDF is first come, first served.
#include <memory>

#include "scheduler/registry.h"

namespace fluidbatch::scheduler {
namespace {

class EarliestDeadlineFirst final : public Policy {
 public:
  Decision decide(const ServerView& /*view*/) override { return Decision::start(1); }
  std::unique_ptr<Policy> clone() const override { return std::make_unique<EarliestDeadlineFirst>(*this); }
};

const PolicyRegistration kRegistration(
    {.name = "edf",
     .summary = "earliest deadline first, one sample at a time (with one SLO: as serial)",
     .parameters = {},
     .traits = [](const ParameterValues&) { return PolicyTraits{}; },
     .make = [](const ParameterValues&,
                const PolicyContext&) { return std::make_unique<EarliestDeadlineFirst>(); },
     .needs_deadlines_in_order = true});

}  // namespace
}  // namespace fluidbatch::scheduler
