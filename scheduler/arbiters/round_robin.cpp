// The services in turn, in the order of the configuration; one whose queue is empty loses its turn.
#include "scheduler/registry.h"

namespace fluidbatch::scheduler {
namespace {

class RoundRobinOrder final : public Arbiter {
 public:
  double rank(const ArbiterView& view, const Contender& contender) const override {
    const std::size_t services = view.services.size();
    const std::size_t first = view.last_served + 1 < services ? view.last_served + 1 : 0;
    return static_cast<double>((contender.service + services - first) % services);
  }
  std::unique_ptr<Arbiter> clone() const override { return std::make_unique<RoundRobinOrder>(*this); }
};

const ArbiterRegistration kRegistration(
    {.name = "round_robin",
     .summary = "the services in turn, after the one that last started a batch",
     .parameters = {},
     .make = [](const ParameterValues&) { return std::make_unique<RoundRobinOrder>(); }});

}  // namespace
}  // namespace fluidbatch::scheduler
