// RESTART: splitting of runs that come near to a late answer, with killing of branches that go away from it.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "sim/tail/branch.h"
#include "sim/tail/cycles.h"
#include "sim/tail/levels.h"
#include "sim/tail/tail_counts.h"

namespace fluidbatch::sim {

struct RunWatch;
struct Scenario;
struct System;

/// Runs one system by RESTART (Villen-Altamirano and Villen-Altamirano, 1991). Where a branch reaches level i
/// it goes on as factors[i - 1] branches, all but one with random draws of their own; those are killed when
/// they fall below level i again, and the one goes on. A branch at a level weighs one over the product of the
/// factors up to it, so that weighted counts have the mean of a run without splitting, whatever the levels.
/// The main branch, the one that is never killed, is that run.
class Splitting {
 public:
  /// All references must outlive it. Where `watch` is not null, it may stop a run.
  Splitting(const Scenario& scenario, const System& system, const Levels& levels, RunWatch* watch = nullptr);

  /// Runs the requests of `seed` from an empty system at date 0 on, in cycles: first those that begin with
  /// one of the first `warmup_requests`, which are not counted and do not split, then others until `enough`
  /// says so, which is asked after each. Throws Saturated where a cycle does not end, and
  /// RunStopped.
  TailSums run(std::uint64_t seed, const Cycles& cycles, const std::function<bool(const TailSums&)>& enough);

  /// A stay of a branch at the top level: from where it reaches it to where it leaves it or is killed.
  /// Without levels, a cycle.
  struct TopStay {
    std::uint64_t cycle = 0;  ///< of the main branch
    double highest_s = 0;     ///< importance
  };
  /// From here on `stays` gets all, those of a cycle together.
  void keep_stays(std::vector<TopStay>& stays) { stays_ = &stays; }

 private:
  struct Stay;

  bool advance(Branch& branch, Stay& stay);
  void split(const Branch& branch, std::size_t from_level, const Stay& stay);
  void end_stay(Stay& stay);

  const Scenario& scenario_;
  const Levels& levels_;
  const RunWatch* watch_;
  MakeBranch make_branch_;
  bool splits_ = false;  // not in the warm-up
  TailCounter* counter_ = nullptr;
  std::uint64_t events_ = 0;
  std::uint64_t events_before_ = 0;  // the cycle
  std::uint64_t branches_ = 0;
  std::uint64_t cycle_ = 0;
  std::vector<TopStay>* stays_ = nullptr;
};

}  // namespace fluidbatch::sim
