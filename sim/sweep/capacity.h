// The highest load at which a system holds its SLO.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sim/engine.h"
#include "workloads/io/yaml_node.h"

namespace fluidbatch::sim {

struct CapacityOptions {
  std::string key;               ///< what is raised, such as workload.arrivals.rho
  double violation_rate = 0.01;  ///< share of the requests that may be late: 0.01 asks for p99 <= SLO
  double confidence = 0.99;
  double tolerance = 0.01;  ///< of the answer, relative
  bool whole = false;       ///< the key takes whole numbers: a count of devices
  int jobs = 1;
  Driver driver = Driver::simgrid_window;
};

/// One run on the way.
struct CapacityProbe {
  double value = 0;  ///< of the key
  std::uint64_t requests = 0;
  std::uint64_t late = 0;
  bool holds = false;  ///< surely: the early-stopping rule (confidence.h), and not saturated
  double throughput_hz = 0;
};

struct Capacity {
  std::string system;
  double value = 0;                   ///< the highest that held; 0 where none did
  bool open = false;                  ///< even the highest tried held: there is no end in sight
  std::vector<CapacityProbe> probes;  ///< in their order
};

/// For each system of the configuration: brackets from the key's own value by doubling or halving, then
/// bisects. Every probe is a whole run with the same seed. Throws InputError, also where the run has too few
/// requests to show anything: `least_requests(0, violation_rate, confidence)` are needed.
std::vector<Capacity> find_capacities(const io::Node& document, const CapacityOptions& options);

/// The key that is raised where none is given: `workload.arrivals.rho` or `.rate_hz`, whichever the
/// configuration has.
std::string default_capacity_key(const io::Node& document);

}  // namespace fluidbatch::sim
