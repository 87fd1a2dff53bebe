// Earliest deadline first over services with SLOs of their own. Of a queue only the head counts: where SLOs
// count from sending, one behind it may be due before it.
#include "scheduler/registry.h"

namespace fluidbatch::scheduler {
namespace {

class EarliestDeadline final : public Arbiter {
 public:
  double rank(const ArbiterView& /*view*/, const Contender& contender) const override {
    return contender.deadline_s;
  }
  std::unique_ptr<Arbiter> clone() const override { return std::make_unique<EarliestDeadline>(*this); }
};

const ArbiterRegistration kRegistration(
    {.name = "earliest_deadline",
     .summary = "the service whose oldest request is due first",
     .parameters = {},
     .make = [](const ParameterValues&) { return std::make_unique<EarliestDeadline>(); },
     .may_preempt = true});

}  // namespace
}  // namespace fluidbatch::scheduler
