#include "sim/tail/splitting.h"

#include <algorithm>
#include <string>
#include <utility>

#include "sim/core/server_impl.h"
#include "sim/run/system_parts.h"
#include "sim/scenario/scenario.h"

namespace fluidbatch::sim {
namespace {

/// Events of a cycle's branches: some thousand times what a load of 95 % takes.
constexpr std::uint64_t kMostInCycle = 20'000'000;

/// The same without an end.
Scenario endless(const Scenario& scenario, std::uint64_t seed) {
  Scenario result = scenario;
  result.seed = seed;
  result.length = {};
  return result;
}

}  // namespace

/// The state of a system in one of its futures.
class Splitting::Branch {
 public:
  Branch(const Scenario& scenario, const System& system, TailCounter& counter)
      : parts_(scenario, system, 1),
        counter_(counter),
        server_(parts_.table(), parts_.options(), parts_.policy(), parts_.exit_source(), parts_.stream(),
                counter, nullptr) {}
  /// Goes on from `other` with draws of its own, those of the branch `number`.
  Branch(const Branch& other, std::uint64_t number)
      : parts_(other.parts_),
        counter_(other.counter_),
        server_(parts_.table(), parts_.options(), parts_.policy(), parts_.exit_source(), parts_.stream(),
                counter_, nullptr, other.server_.state()) {
    parts_.split(number);
    server_.restart_stream();
  }

  /// The next event of the core, or an arrival during a step: the sooner it splits the better.
  void advance() {
    if (server_.admit_during_step()) return;
    server_.advance(server_.next_event_s());
    ++events_;
  }
  /// Of the core, as it has them without splitting.
  [[nodiscard]] std::uint64_t events() const { return events_; }
  [[nodiscard]] const ServerState& state() const { return server_.state(); }
  [[nodiscard]] std::uint64_t served() const {
    const Conservation& conservation = server_.state().conservation;
    return conservation.completed + conservation.dropped;
  }

 private:
  SystemParts parts_;
  TailCounter& counter_;
  Server<TailCounter> server_;
  std::uint64_t events_ = 0;
};

/// Where a branch is.
struct Splitting::Stay {
  std::size_t least = 0;  ///< below this level it is killed
  std::size_t level = 0;
  double top_s = 0;  ///< the highest importance of its stay at the top level
};

Splitting::Splitting(const Scenario& scenario, const System& system, const Levels& levels)
    : scenario_(scenario),
      system_(system),
      levels_(levels),
      importance_(*system.table(), scenario.service().slo.of_server(),
                  system.policy->traits(system.parameters).max_batch) {}

TailSums Splitting::run(std::uint64_t seed, const Cycles& cycles,
                        const std::function<bool(const TailSums&)>& enough) {
  std::vector<double> weights;
  for (std::size_t level = 0; level <= levels_.size(); ++level) weights.push_back(levels_.weight(level));
  TailCounter counter(scenario_.service().slo, std::move(weights));
  counter_ = &counter;
  splits_ = false;
  events_ = events_before_ = branches_ = cycle_ = 0;
  const Scenario scenario = endless(scenario_, seed);
  Branch main(scenario, system_, counter);
  Stay stay;
  TailSums sums;
  std::uint64_t left_out = 0;
  const auto begin_to_count = [&] {
    left_out = main.served();
    splits_ = true;
    counter.begin();
  };
  if (cycles.warmup_requests == 0) begin_to_count();
  std::uint64_t begin = 0;  // of the cycle, in requests served
  do {
    do {
      advance(main, stay);
    } while (cycles.requests == 0 ? main.state().in_system > 0 : main.served() < begin + cycles.requests);
    begin = main.served();
    events_before_ = events_;
    if (!splits_) {
      if (begin >= cycles.warmup_requests) begin_to_count();
      continue;
    }
    if (levels_.size() == 0) end_stay(stay);
    cycle_ = ++sums.cycles;
    sums.main_requests = begin - left_out;
    sums.main_events = main.events();
    sums.events = events_;
  } while (sums.cycles == 0 || !enough(sums));
  std::move(counter).finish(sums);
  return sums;
}

/// One event of a branch, and all that comes of the branches that split from it there. False where it is
/// killed.
bool Splitting::advance(Branch& branch, Stay& stay) {
  counter_->set_level(stay.level);
  branch.advance();
  if (++events_ - events_before_ > kMostInCycle) {
    throw Saturated("it does not come back from a long queue within " + std::to_string(kMostInCycle) +
                    " events of all branches: its load is too near to what it can carry");
  }
  const double importance_s = importance_.of(branch.state());
  const std::size_t level = splits_ ? levels_.of(importance_s) : 0;
  if (level < stay.level && stay.level == levels_.size()) end_stay(stay);
  if (level < stay.least) return false;
  const std::size_t before = std::exchange(stay.level, level);
  if (level == levels_.size()) stay.top_s = std::max(stay.top_s, importance_s);
  if (level > before) split(branch, before, stay);
  return true;
}

/// `branch` has got from `from_level` to that of `stay`: runs all that it makes there, but for itself.
void Splitting::split(const Branch& branch, std::size_t from_level, const Stay& stay) {
  std::uint64_t reaching = 1;  // branches that get to a level at this date
  for (std::size_t level = from_level + 1; level <= stay.level; ++level) {
    const auto factor = static_cast<std::uint64_t>(levels_.factors[level - 1]);
    for (std::uint64_t i = 0; i < reaching * (factor - 1); ++i) {
      Branch other(branch, ++branches_);
      Stay its = stay;
      its.least = level;
      while (advance(other, its)) {
      }
    }
    reaching *= factor;
  }
}

void Splitting::end_stay(Stay& stay) {
  if (stays_ != nullptr) stays_->push_back({.cycle = cycle_, .highest_s = stay.top_s});
  stay.top_s = 0;
}

}  // namespace fluidbatch::sim
