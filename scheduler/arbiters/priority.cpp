// Strict priorities: a service waits for as long as a more urgent one has anything to do, and may starve.
#include "scheduler/registry.h"

namespace fluidbatch::scheduler {
namespace {

class PriorityOrder final : public Arbiter {
 public:
  double rank(const ArbiterView& view, const Contender& contender) const override {
    return -static_cast<double>(view.services[contender.service].priority);
  }
  std::unique_ptr<Arbiter> clone() const override { return std::make_unique<PriorityOrder>(*this); }
};

const ArbiterRegistration kRegistration(
    {.name = "priority",
     .summary = "the service of the largest priority",
     .parameters = {},
     .make = [](const ParameterValues&) { return std::make_unique<PriorityOrder>(); },
     .may_preempt = true});

}  // namespace
}  // namespace fluidbatch::scheduler
