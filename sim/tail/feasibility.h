// Which workloads can be split.
#pragma once

#include <optional>
#include <string>

namespace fluidbatch::sim {

struct Scenario;

/// Why there are no estimates.
struct NoTail {
  std::string reason;
  std::string key;  ///< of `workload` or, where it is npus, of a system, that says so
};

/// What can't be split: several services or NPUs, recorded arrivals or exits, those of an iterator, arrivals
/// without any randomness, closed loops, rates that change for good, uplinks that SimGrid simulates. Nothing
/// where it can.
std::optional<NoTail> objection_to_tail(const Scenario& scenario);

}  // namespace fluidbatch::sim
