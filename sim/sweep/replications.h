// How often a sweep runs the same point, each time with other random draws.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>

#include "sim/measure/statistic.h"
#include "workloads/io/yaml_node.h"

namespace fluidbatch::sim {

struct Replications {
  int least = 1;
  int most = 1;
  /// With a statistic: after `least`, until the 95 % interval's half-width over the mean is at most
  /// `relative_ci`.
  std::optional<StatisticId> of;
  double relative_ci = 0;
};

/// In place of a replication's value where it has not been run.
inline constexpr double kNotRun = std::numeric_limits<double>::infinity();

/// How many replications are known to be needed, from the values of `replications.of` that exist without
/// a gap. It depends on them alone, not on which was run first.
int needed_replications(const Replications& replications, std::span<const double> values);

/// The seed of replication number `replication` of a configuration with `seed`: `seed` itself for number 0.
/// It does not depend on the system, so that all systems meet the same requests.
std::uint64_t replication_seed(std::uint64_t seed, int replication);

/// The keys `replications` and `until` of a sweep. Throws InputError.
Replications read_replications(const io::Node& document);

/// As a node that results files keep, and back. Throws InputError.
io::Node to_node(const Replications& replications);
Replications replications_from(const io::Node& node);

}  // namespace fluidbatch::sim
