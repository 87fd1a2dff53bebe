// The service that has had least of the NPU for its weight. What it did not use while its queue was empty is
// not forgotten: a service that comes back after a long time goes first until it has caught up.
#include "scheduler/registry.h"

namespace fluidbatch::scheduler {
namespace {

class FairShare final : public Arbiter {
 public:
  double rank(const ArbiterView& view, const Contender& contender) const override {
    const ServiceView& service = view.services[contender.service];
    return service.npu_time_s / service.weight;
  }
  std::unique_ptr<Arbiter> clone() const override { return std::make_unique<FairShare>(*this); }
};

const ArbiterRegistration kRegistration(
    {.name = "fair_share",
     .summary = "the service with the least NPU time so far, divided by its weight",
     .parameters = {},
     .make = [](const ParameterValues&) { return std::make_unique<FairShare>(); }});

}  // namespace
}  // namespace fluidbatch::scheduler
