// The highest load at which a system holds its SLO.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sim/drive/driver.h"
#include "workloads/io/yaml_node.h"

namespace fluidbatch::sim {

struct CapacityOptions {
  std::string key;               ///< what is raised, such as workload.arrivals.rho
  double violation_rate = 0.01;  ///< share of the requests that may be late: 0.01 asks for p99 <= SLO
  double confidence = 0.99;      ///< of the verdict on one load
  double tolerance = 0.01;       ///< of the answer, relative
  bool whole = false;            ///< the key takes whole numbers: a count of devices
  int most_runs = 64;            ///< at one load, to be sure of a verdict
  int seeds = 1;                 ///< how often the search is repeated, with other random draws
  int jobs = 1;
  std::optional<Driver> driver;  ///< that was asked for; see bulk_driver
  /// Called at least 20 times a second; may be empty. What it throws ends the search, and its runs.
  std::function<void()> while_waiting = {};
};

/// The requests of one service, by its own SLO.
struct ServiceLateness {
  std::string service;         ///< its name; empty where there is one, and nobody has named it
  std::uint64_t requests = 0;  ///< measured, of all runs
  std::uint64_t late = 0;
  std::uint64_t independent_requests = 0;  ///< what they are worth (late_share.h)

  [[nodiscard]] double late_share() const {
    return static_cast<double>(late) / static_cast<double>(requests);
  }
};

/// One load that was tried: in as many runs as its verdict took, each with other random draws.
struct CapacityProbe {
  enum class Verdict {
    holds,  ///< surely no more late than allowed, of any service, and the runs are not saturated
    fails,  ///< surely more of one, or most of the runs are saturated
    open,   ///< still unsure after `most_runs`
  };

  double value = 0;  ///< of the key
  std::size_t runs = 0;
  std::vector<ServiceLateness> services;  ///< those that have an SLO
  Verdict verdict = Verdict::open;
  double throughput_hz = 0;  ///< mean over the runs, of all services
  // Likewise; NaN where an NPU says nothing of energy.
  double energy_per_request_j = 0;
  double average_power_w = 0;

  /// The service of which the largest share is late.
  [[nodiscard]] const ServiceLateness& worst() const;
};

/// holds, fails or open.
const char* name_of(CapacityProbe::Verdict verdict);

struct Capacity {
  std::string system;
  int seed = 0;                       ///< number of the search, from 0
  double value = 0;                   ///< the highest that held; 0 where none did
  bool open = false;                  ///< even the highest tried held: there is no end in sight
  std::vector<CapacityProbe> probes;  ///< in their order

  /// The probe that held at `value`, or nullptr.
  [[nodiscard]] const CapacityProbe* best() const;
  /// The lowest load that surely fails, or NaN where none was met.
  [[nodiscard]] double fails_from() const;
  /// How many loads stayed open.
  [[nodiscard]] std::size_t open_loads() const;
  /// Of all probes.
  [[nodiscard]] std::size_t runs() const;
};

/// For each system of the configuration and each seed: brackets from the key's own value by doubling or
/// halving, then bisects. Each load is run with the same seeds, once, twice, four times .. up to `most_runs`
/// times in all, until its verdict is sure; the confidence is divided among these looks (Bonferroni). It
/// holds where it does for each service that has an SLO. That one fails is more likely to be seen by chance
/// the more there are, so the confidence of that is divided among them too. Systems one after another, each
/// with all its seeds. Throws InputError, also where there are too few requests to show anything and where
/// the key is not one that can be raised.
std::vector<Capacity> find_capacities(const io::Node& document, const CapacityOptions& options);

}  // namespace fluidbatch::sim
