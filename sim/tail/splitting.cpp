#include "sim/tail/splitting.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "sim/measure/run_watch.h"
#include "sim/scenario/scenario.h"
#include "sim/tail/branch.h"

namespace fluidbatch::sim {
namespace {

/// Events of a cycle's branches: some thousand times what a load of 95 % takes.
constexpr std::uint64_t kMostInCycle = 20'000'000;

std::vector<scheduler::Slo> slos_of(const Scenario& scenario) {
  std::vector<scheduler::Slo> slos;
  for (const Service& service : scenario.services) slos.push_back(service.slo);
  return slos;
}

/// The same without an end.
Scenario endless(const Scenario& scenario, std::uint64_t seed) {
  Scenario result = scenario;
  result.seed = seed;
  result.length = {};
  return result;
}

}  // namespace

/// Where a branch is.
struct Splitting::Stay {
  std::size_t least = 0;  ///< below this level it is killed
  std::size_t level = 0;
  double top_s = 0;  ///< the highest importance of its stay at the top level
};

Splitting::Splitting(const Scenario& scenario, const System& system, const Levels& levels, RunWatch* watch)
    : scenario_(scenario), levels_(levels), watch_(watch), make_branch_(branches_of(scenario, system)) {}

TailSums Splitting::run(std::uint64_t seed, const Cycles& cycles,
                        const std::function<bool(const TailSums&)>& enough) {
  std::vector<double> weights;
  for (std::size_t level = 0; level <= levels_.size(); ++level) weights.push_back(levels_.weight(level));
  TailCounter counter(slos_of(scenario_), scenario_.devices.services(), std::move(weights));
  counter_ = &counter;
  splits_ = false;
  events_ = events_before_ = branches_ = cycle_ = 0;
  const Scenario scenario = endless(scenario_, seed);
  const std::unique_ptr<Branch> its_main = make_branch_(scenario, counter);
  Branch& main = *its_main;
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
    } while (cycles.requests == 0 ? !main.is_empty() : main.served() < begin + cycles.requests);
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
  check_wanted(watch_);
  branch.advance();
  if (++events_ - events_before_ > kMostInCycle) {
    throw Saturated("it does not come back from a long queue within " + std::to_string(kMostInCycle) +
                    " events of all branches: its load is too near to what it can carry");
  }
  const double importance_s = branch.importance_s();
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
      const std::unique_ptr<Branch> other = branch.fork(++branches_);
      Stay its = stay;
      its.least = level;
      while (advance(*other, its)) {
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
