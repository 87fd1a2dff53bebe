// One sample at a time, first come first served: the baseline without batching.
#include "scheduler/registry.h"

namespace fluidbatch::scheduler {
namespace {

class Serial final : public Policy {
 public:
  Decision decide(const ServerView& /*view*/) override { return Decision::start(1); }
  int max_batch() const override { return 1; }
};

const PolicyRegistration kRegistration({.name = "serial",
                                        .summary = "one sample at a time, first come first served",
                                        .parameters = {},
                                        .make = [](const ParameterValues&, const PolicyContext&) {
                                          return std::make_unique<Serial>();
                                        }});

}  // namespace
}  // namespace fluidbatch::scheduler
