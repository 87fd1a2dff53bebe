// First come, first served over all services: with batches of one, a site of several equal services is one
// service with all their requests.
#include "scheduler/registry.h"

namespace fluidbatch::scheduler {
namespace {

class OldestFirst final : public Arbiter {
 public:
  double rank(const ArbiterView& /*view*/, const Contender& contender) const override {
    return contender.arrival_s;
  }
  std::unique_ptr<Arbiter> clone() const override { return std::make_unique<OldestFirst>(*this); }
};

const ArbiterRegistration kRegistration({.name = "oldest_first",
                                         .summary = "the service whose oldest request arrived first",
                                         .parameters = {},
                                         .make = [](const ParameterValues&) {
                                           return std::make_unique<OldestFirst>();
                                         }});

}  // namespace
}  // namespace fluidbatch::scheduler
