// PREMA (Choi and Rhu, HPCA'20), with its rule of who is next: each request has tokens, its priority at
// first, to which waiting adds; those with at least the threshold, the most tokens that anybody has, rounded
// down to a level of priority, are candidates; of these the one with the shortest estimated rest goes first.
//
// The rule as one rank: whoever has reached a higher level goes first, and within a level the shortest rest.
// The threshold is the highest level that anybody has reached, so the first is the same; and the others come
// in the order in which they would be first, were those before them not there.
//
// Tokens are priority * (1 + waited / alone), with `alone` the latency of a single sample through the whole
// network. In the paper each decision adds priority * slowdown; so that tokens do not depend on how often the
// arbiter is asked, a decision adds here what was waited since the one before, over `alone`. These add up to
// what is above, so no state is kept, of services or of requests. Waiting is all time without the NPU, in the
// queue, suspended or parked. Preemption is what the server does, at segment boundaries (the paper: after
// each quantum of time), and it always keeps what has run (CHECKPOINT).
#include <algorithm>
#include <array>

#include "scheduler/registry.h"

namespace fluidbatch::scheduler {
namespace {

/// Low, medium and high priority, which are also the levels that tokens are rounded down to.
constexpr std::array<double, 3> kLevels{1, 3, 9};
/// So that a level reached exactly does not depend on rounding.
constexpr double kTokenTolerance = 1e-9;

double tokens(const ArbiterView& view, const Contender& contender, double alone_s) {
  // A site's priorities may be any numbers, where the paper has three.
  const int priority = std::clamp(view.services[contender.service].priority, 0, 2);
  const double waited_s = view.now_s - contender.arrival_s - contender.served_s;
  return kLevels[static_cast<std::size_t>(priority)] * (1 + waited_s / alone_s);
}

/// Of tokens, index of the highest level that they reach; nobody has less than the lowest.
std::size_t level(double tokens) {
  std::size_t level = 0;
  while (level + 1 < kLevels.size() && tokens + kTokenTolerance >= kLevels[level + 1]) ++level;
  return level;
}

class Prema final : public Arbiter {
 public:
  double rank(const ArbiterView& view, const Contender& contender) const override {
    const double alone_s = view.services[contender.service].table->single_sample_latency_s();
    double longest_s = 0;
    for (const ServiceView& service : view.services) {
      longest_s = std::max(longest_s, service.table->single_sample_latency_s());
    }
    // A level weighs more than any rest: the levels stay apart by a second.
    const auto above = static_cast<double>(kLevels.size() - 1 - level(tokens(view, contender, alone_s)));
    return above * (longest_s + 1) + (alone_s - contender.done_s);
  }
  std::unique_ptr<Arbiter> clone() const override { return std::make_unique<Prema>(*this); }
};

const ArbiterRegistration kRegistration(
    {.name = "prema",
     .summary = "most tokens by priority and slowdown, rounded down; of equals the shortest rest (PREMA)",
     .parameters = {},
     .make = [](const ParameterValues&) { return std::make_unique<Prema>(); },
     .may_preempt = true});

}  // namespace
}  // namespace fluidbatch::scheduler
