// Estimates of rare events: the rate of SLO violations and far quantiles of the latency.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "sim/tail/cycles.h"
#include "sim/tail/feasibility.h"

namespace fluidbatch::sim {

struct RunWatch;
struct Scenario;
struct System;

struct TailOptions {
  double precision = 0.05;  ///< half-width of each interval over its estimate
  std::vector<double> quantiles{0.999, 0.9999, 0.99999};
  std::uint64_t most_events = 500'000'000;  ///< after which it ends, precise or not
  int jobs = 1;                             ///< processes at a time; results do not depend on it
  /// Told of the events so far now and then; may be empty.
  std::function<void(std::uint64_t events)> progress = {};
  RunWatch* watch = nullptr;  ///< where not null, may stop it
};

/// With its 95 % interval.
struct TailEstimate {
  double value = 0;
  double low = 0;
  double high = 0;  ///< NaN where nothing was seen
  /// What a run without splitting would take, at the least, for such an interval: as if its requests were
  /// independent, events of the core; NaN where that is not known.
  double crude_events = 0;
};

struct SystemTail {
  TailEstimate violation_rate;  ///< of all requests, dropped ones included
  /// The same of each service, where there are several; as precise as they come.
  std::vector<TailEstimate> service_violation_rates;
  std::vector<TailEstimate> quantiles_s;  ///< of the latency at the server, in the order of the options
  std::uint64_t events = 0;  ///< of the serving core, all branches and the pilot included, and of arrivals
  std::size_t levels = 0;
  bool precise = true;  ///< whether every interval is as narrow as was asked for
  /// Whether any latency was predicted to reach the SLO. Otherwise a violation rate of 0 says that none was
  /// seen, and how rare they are is not known.
  bool reaches_slo = true;
  /// Whether the system empties often, so that estimates are from whole cycles. Otherwise they are from
  /// batches of requests after a warm-up.
  bool regenerates = true;
};

/// For a scenario that nothing speaks against. The same for the same seed, whatever the number of jobs.
/// Throws Saturated where the backlog grows for ever, RunStopped, and what `simulate` throws.
SystemTail estimate_tail(const Scenario& scenario, const System& system, const TailOptions& options);

}  // namespace fluidbatch::sim
