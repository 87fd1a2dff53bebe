// The tails of all systems of a configuration, and what there is to say of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sim/tail/tail.h"
#include "workloads/io/yaml_node.h"

namespace fluidbatch::sim {

struct RunConfig;

/// What one system gives: its tail, or why there is none.
struct TailOfSystem {
  std::string label;
  std::optional<SystemTail> tail;
  std::string saturated;  ///< empty where there is one
};

/// Of each system, in their order. `progress` is told of the system at work and of its events so far, now and
/// then, and may be empty. Throws RunStopped and what `simulate` throws.
std::vector<TailOfSystem> estimate_tails(const RunConfig& config, const TailOptions& options,
                                         const std::function<void(const System&, std::uint64_t)>& progress);

/// Throws InputError where all of them are saturated, at the place in `document`, the configuration, that
/// says how many requests come.
void require_a_tail(const std::vector<TailOfSystem>& tails, const io::Node& document);

/// One estimate of a system's tail.
struct TailLine {
  std::string metric;  ///< slo_violation_rate, slo_violation_rate of SERVICE, latency_p99.9, in this order
  std::string title;   ///< the same for a table: late; late, SERVICE; p99.9
  TailEstimate estimate;
  bool is_latency = false;  ///< in seconds; otherwise a share
  bool known = true;        ///< otherwise the estimate says nothing
  bool wanted = true;       ///< otherwise it is as precise as it comes
  bool reached = true;      ///< known, and its interval as narrow as was asked for
};

/// All estimates of `tail`. There is no share of late requests where nothing bounds the latency.
std::vector<TailLine> tail_lines(const RunConfig& config, const TailOptions& options, const SystemTail& tail);

/// How remarks call what is around them.
struct TailWords {
  const char* wide = "an interval is ";      ///< where one is wider than was asked for
  const char* most_events = "--max-events";  ///< the option that ended it
};

/// What the numbers don't say, a line each.
std::vector<std::string> tail_remarks(const RunConfig& config, const TailOptions& options,
                                      const std::vector<TailOfSystem>& tails, const TailWords& words);

}  // namespace fluidbatch::sim
