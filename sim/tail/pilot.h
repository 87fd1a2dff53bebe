// Where to split, found by runs that get further with every level.
#pragma once

#include <cstdint>

#include "sim/tail/levels.h"
#include "sim/tail/splitting.h"

namespace fluidbatch::sim {

/// What levels are for.
struct TailTarget {
  double latency_s = 0;   ///< a bound whose violations are rare; infinity: none
  double tail_share = 1;  ///< the smallest share of the requests whose latencies are above a quantile
};

struct Pilot {
  Levels levels;
  /// Whether latencies get to the bound: otherwise none was predicted to, however rarely.
  bool reaches_latency = true;
  std::uint64_t events = 0;  ///< that it took
};

/// Chooses levels for `target`, one by one, each by a run that splits at those before it: at an importance
/// that a third of the stays at the last level get to, and with the factor that lets about two branches a
/// cycle go on from it.
/// After `most_events` it gives up where it is. Where `watch` is not null, it may stop it (RunStopped).
Pilot choose_levels(const Scenario& scenario, const System& system, const TailTarget& target,
                    const Cycles& cycles, std::uint64_t most_events, RunWatch* watch = nullptr);

}  // namespace fluidbatch::sim
