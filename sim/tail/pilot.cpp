#include "sim/tail/pilot.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <vector>

#include "sim/scenario/scenario.h"
#include "sim/tail/part_seed.h"

namespace fluidbatch::sim {
namespace {

/// A level is chosen from stays in so many different cycles: those of one have much in common.
constexpr std::uint64_t kCycles = 100;
/// The share of the stays at a level that gets to the next is one over this.
constexpr std::size_t kStaysPerLevel = 3;
/// With more, the main branches' cycles would be the smaller part of the work.
constexpr double kBranchesPerCycle = 2;
/// Beyond, rates are below 1e-100.
constexpr std::size_t kMostLevels = 256;

/// One run with the levels so far, and the stays at their top.
class Climb {
 public:
  Climb(const Scenario& scenario, const System& system, const Levels& levels, const Cycles& cycles,
        std::uint64_t most_events, RunWatch* watch)
      : top_s_(levels.size() == 0 ? 0 : levels.thresholds_s.back()) {
    Splitting splitting(scenario, system, levels, watch);
    splitting.keep_stays(stays_);
    std::size_t seen = 0;
    std::uint64_t with_stays = 0;
    const auto enough = [&](const TailSums& sums) {
      for (; seen < stays_.size(); ++seen)
        with_stays += seen == 0 || stays_[seen].cycle != stays_[seen - 1].cycle ? 1U : 0U;
      is_finished_ = with_stays >= kCycles;
      return is_finished_ || sums.events >= most_events;
    };
    const Part part{.pilot = true, .number = levels.size()};
    sums_ = splitting.run(part_seed(scenario.seed, part), cycles, enough);
    std::ranges::sort(stays_, std::greater(), &Splitting::TopStay::highest_s);
  }

  /// Whether enough cycles have got to the top: otherwise it is too rare to go on from.
  [[nodiscard]] bool is_finished() const { return is_finished_; }
  [[nodiscard]] const TailSums& sums() const { return sums_; }
  /// Whether no more than `share` of the requests are slower than the level that it has started from.
  [[nodiscard]] bool is_above(double share) const {
    return sums_.latencies.above(top_s_) <= share * sums_.requests;
  }

  /// The importance of the next level; nothing where no stay has got higher.
  [[nodiscard]] std::optional<double> next_threshold_s() const {
    // Of those that many stays have in common, the first one above.
    constexpr double kAbove = 1 + 1e-9;  // by more than rounding
    const double least_s = kAbove * std::max(top_s_, stays_.back().highest_s);
    const double third_s = stays_[stays_.size() / kStaysPerLevel].highest_s;
    if (third_s > least_s) return third_s;
    const auto end =
        std::ranges::lower_bound(stays_, least_s, std::greater(), &Splitting::TopStay::highest_s);
    if (end == stays_.begin()) return std::nullopt;
    return std::prev(end)->highest_s;
  }

  /// The factor of a level there, which makes up for what those before have done too little or too much.
  [[nodiscard]] int factor(double threshold_s) const {
    const auto end =
        std::ranges::upper_bound(stays_, threshold_s, std::greater(), &Splitting::TopStay::highest_s);
    const auto reaching = static_cast<double>(end - stays_.begin());
    const double factor = kBranchesPerCycle * static_cast<double>(sums_.cycles) / reaching;
    return std::max(1, static_cast<int>(std::lround(factor)));
  }

 private:
  double top_s_;
  std::vector<Splitting::TopStay> stays_;  // the highest first
  TailSums sums_;
  bool is_finished_ = false;
};

}  // namespace

Pilot choose_levels(const Scenario& scenario, const System& system, const TailTarget& target,
                    const Cycles& cycles, std::uint64_t most_events, RunWatch* watch) {
  Pilot pilot;
  while (pilot.levels.size() < kMostLevels && pilot.events < most_events) {
    const Climb climb(scenario, system, pilot.levels, cycles, most_events - pilot.events, watch);
    pilot.events += climb.sums().events;
    const std::optional<double> next_s = climb.is_finished() ? climb.next_threshold_s() : std::nullopt;
    const bool latency_done = !std::isfinite(target.latency_s) || (next_s && *next_s >= target.latency_s);
    pilot.reaches_latency = latency_done || climb.sums().late > 0;
    if (!next_s || (latency_done && climb.is_above(target.tail_share))) break;
    pilot.levels.thresholds_s.push_back(*next_s);
    pilot.levels.factors.push_back(climb.factor(*next_s));
  }
  return pilot;
}

}  // namespace fluidbatch::sim
