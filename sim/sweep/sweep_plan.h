// The points of a sweep, found by reading the configurations of all its settings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "sim/drive/driver.h"
#include "sim/sweep/sweep_file.h"

namespace fluidbatch::sim {

class ModelCache;

/// Part `index` (from 0) of `count`: every count-th pair of setting and system.
struct Shard {
  std::size_t index = 0;
  std::size_t count = 1;
};

/// One system under one setting: the same point but for its replications.
struct Pair {
  std::size_t setting = 0;
  std::size_t system = 0;  ///< of the configuration
  std::uint64_t seed = 0;  ///< of the configuration
  std::int64_t first_point = 0;
  double requests = 0;  ///< expected; NaN where a length is given in seconds and no rate is known
  double cost = 0;      ///< expected, in any unit
};

/// What planning needs to know of settings. A configuration is read where something in it is new: the values
/// of arrivals and of systems do not constrain each other, nor do a seed and a latency bound anything else,
/// so that of 1,000 loads times 1,000 parameters of a policy 2,000 configurations are read, not a million.
class SettingReader {
 public:
  struct PlannedSystem {
    std::string label;
    double cost_per_request = 0;  ///< in steps of the server, roughly

    bool operator<(const PlannedSystem& other) const {
      return std::tie(label, cost_per_request) < std::tie(other.label, other.cost_per_request);
    }
  };
  struct Facts {
    std::uint64_t seed = 0;
    double requests = 0;
    const std::vector<PlannedSystem>* systems = nullptr;  ///< good as long as the reader
  };

  /// `driver`: the one that was asked for.
  SettingReader(const Sweep& sweep, ModelCache& cache, std::optional<Driver> driver = {});

  /// Throws InputError where the setting's configuration is wrong, the driver does not go with its uplink, or
  /// a tail is asked for and its workload leaves nothing to split on.
  Facts read(std::size_t setting);

 private:
  /// What keys edit. A fact depends on one of the first three, and on `rest`.
  enum Part : std::size_t { apart, load, systems, rest, kParts };

  static Part part_of(const std::string& key);
  static Part part_of(const AxisBlock& block);
  [[nodiscard]] std::size_t place(std::size_t setting, Part part) const;
  void read_configuration(std::size_t setting);

  const Sweep& sweep_;
  ModelCache& cache_;
  std::optional<Driver> driver_;
  std::vector<Part> parts_;  // by block
  std::vector<std::uint64_t> seeds_;
  std::vector<double> requests_;
  std::vector<const std::vector<PlannedSystem>*> systems_;
  std::set<std::vector<PlannedSystem>> known_systems_;
};

/// Calls `visit` for each pair of the shard, in the order of their numbers, and before each setting
/// `progress` (which may be empty) with the number of those that have been read. Returns the number of pairs
/// of all shards. Throws InputError where a configuration is wrong.
std::int64_t for_each_pair(const Sweep& sweep, const Shard& shard, SettingReader& reader,
                           const std::function<void(const Pair&)>& visit,
                           const std::function<void(std::size_t)>& progress);

}  // namespace fluidbatch::sim
