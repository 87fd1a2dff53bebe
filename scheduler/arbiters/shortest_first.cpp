// Shortest job first by the latency of a single sample through the whole network: the least mean wait of
// rules that do not preempt, where batches are of one; a long network may starve.
#include "scheduler/registry.h"

namespace fluidbatch::scheduler {
namespace {

class ShortestFirst final : public Arbiter {
 public:
  double rank(const ArbiterView& view, const Contender& contender) const override {
    return view.services[contender.service].table->single_sample_latency_s();
  }
  std::unique_ptr<Arbiter> clone() const override { return std::make_unique<ShortestFirst>(*this); }
};

const ArbiterRegistration kRegistration(
    {.name = "shortest_first",
     .summary = "the service whose network takes a single sample the least time",
     .parameters = {},
     .make = [](const ParameterValues&) { return std::make_unique<ShortestFirst>(); }});

}  // namespace
}  // namespace fluidbatch::scheduler
