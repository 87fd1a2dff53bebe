// One sample at a time, first come first served: the baseline without batching.
#include <memory>

#include "scheduler/registry.h"

namespace fluidbatch::scheduler {
namespace {

class Serial final : public Policy {
 public:
  Decision decide(const ServerView& /*view*/) override { return Decision::start(1); }
  std::unique_ptr<Policy> clone() const override { return std::make_unique<Serial>(*this); }
};

const PolicyRegistration kRegistration(
    {.name = "serial",
     .summary = "one sample at a time, first come first served",
     .parameters = {},
     .traits = [](const ParameterValues&) { return PolicyTraits{}; },
     .make = [](const ParameterValues&, const PolicyContext&) { return std::make_unique<Serial>(); }});

}  // namespace
}  // namespace fluidbatch::scheduler
