// An arbiter: the service with the longest queue goes first.
#include "scheduler/registry.h"

namespace fluidbatch::scheduler {
namespace {

class LongestQueue final : public Arbiter {
 public:
  double rank(const ArbiterView& view, const Contender& contender) const override {
    return -static_cast<double>(view.services[contender.service].queue.size());
  }
  std::unique_ptr<Arbiter> clone() const override { return std::make_unique<LongestQueue>(*this); }
};

const ArbiterRegistration kRegistration({.name = "longest_queue",
                                         .summary = "the service with the longest queue",
                                         .parameters = {},
                                         .make = [](const ParameterValues&) {
                                           return std::make_unique<LongestQueue>();
                                         }});

}  // namespace
}  // namespace fluidbatch::scheduler
