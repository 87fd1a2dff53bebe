// A sweep as its file says it: a base configuration, axes over its keys, replications.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "sim/statistics.h"
#include "workloads/io/yaml_node.h"

namespace fluidbatch::sim {

/// How often each point is run, each time with other random draws.
struct Replications {
  int least = 1;
  int most = 1;
  /// With a statistic: after `least`, until the 95 % interval's half-width over the mean is at most
  /// `relative_ci`.
  std::optional<StatisticId> of;
  double relative_ci = 0;
};

/// One value for each of the sweep's keys, in their order.
using Setting = std::vector<io::Node>;

struct Sweep {
  io::Node base;                  ///< the configuration that the settings are laid over
  std::vector<std::string> keys;  ///< of the axes
  std::vector<Setting> settings;  ///< all combinations: grid x zip x list, the last key running fastest
  Replications replications;

  /// The configuration of one setting.
  [[nodiscard]] io::Node configuration(std::size_t setting) const;
  /// All that the results hang on; two sweeps with equal ones give equal results.
  [[nodiscard]] io::Node identity() const;
};

/// Reads a sweep (keys: docs/sweeps.md) and the base that it names, to which `overrides` (KEY=VALUE) are
/// applied. Throws InputError.
Sweep load_sweep(const std::filesystem::path& file, const std::vector<std::string>& overrides);

/// The seed of replication number `replication` of a configuration with `seed`: `seed` itself for number 0.
/// It does not depend on the system, so that all systems meet the same requests.
std::uint64_t replication_seed(std::uint64_t seed, int replication);

/// A value of an axis as a short text: a scalar as it is, anything else on one line.
std::string value_text(const io::Node& value);

/// Path of the first key in which two documents differ, or nothing.
std::optional<std::string> first_difference(const io::Node& a, const io::Node& b);

}  // namespace fluidbatch::sim
