// EdgeServing's exits (arXiv 2605.05527): a batch leaves as a whole, at the deepest exit that meets the SLO
// of the one that has waited longest, or else at the first. Latencies are known, so that going on as long as
// the next exit can be met comes to the same as choosing it at the start.
#include "scheduler/registry.h"

namespace fluidbatch::scheduler {
namespace {

class WholeBatchByDeadline final : public ExitControl {
 public:
  ExitRule rule(const ExitView& /*view*/) const override {
    return {.threshold = 1, .by_deadline = true, .together = true};
  }
  std::unique_ptr<ExitControl> clone() const override {
    return std::make_unique<WholeBatchByDeadline>(*this);
  }
};

const ExitControlRegistration kRegistration(
    {.name = "edgeserving",
     .summary = "each batch leaves as a whole, at the deepest exit that meets the SLO of its oldest sample",
     .parameters = {},
     .traits = [](const ParameterValues&) { return ExitControlTraits{}; },
     .make = [](const ParameterValues&,
                const ExitControlContext&) { return std::make_unique<WholeBatchByDeadline>(); }});

}  // namespace
}  // namespace fluidbatch::scheduler
