// What a workload is like, before it is run.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/scenario/least_npu_time.h"
#include "sim/scenario/scenario.h"

namespace fluidbatch::sim {

/// Arrivals at the server, counted in consecutive windows.
struct WindowCounts {
  double window_s = 0;
  std::uint64_t windows = 0;  ///< that ended before the last arrival
  double mean = 0;            ///< requests in one
  double dispersion = 0;      ///< variance over mean of the counts: 1 for Poisson arrivals
  double peak_rate_hz = 0;    ///< most requests in one, per second
};

/// What the recorded samples would do at given thresholds, every row of the file once.
struct AtThresholds {
  double threshold = 0;  ///< of every early exit; NaN: each has the workload's own
  double accuracy = 0;
  std::vector<double> exit_shares;
  double mean_work_s = 0;  ///< as ServiceDescription
};

/// What the requests of one service are like, the warm-up included. NaN where there are too few.
struct ServiceDescription {
  std::uint64_t requests = 0;
  double rate_hz = 0;
  double configured_rate_hz = 0;  ///< long-run, of all devices; NaN where not known before the run
  double gap_cv = 0;              ///< of the gaps between arrivals at the server
  double offered_load = 0;        ///< rho: rate times the single-sample latency of the reference
  double load = 0;                ///< rate times `least_npu_time`; NaN where that is not known
  std::optional<LeastNpuTime> least_npu_time;
  std::string why_no_load;  ///< where the reference has no latencies for batches up to its largest
  std::vector<double> exit_shares;
  double accuracy = 0;
  std::vector<AtThresholds> at_thresholds;  ///< the service's own first; empty without confidences
  double mean_macs = 0;                     ///< of a request up to its exit, heads included
  double mean_work_s = 0;                   ///< its latency up to its exit on the idle reference NPU
  double load_after_exits = 0;              ///< rate times `mean_work_s`
};

/// Statistics of the generated requests of a configuration, likewise. What is named as in ServiceDescription
/// is the same of all requests; loads are the sums of the services'.
struct WorkloadDescription {
  std::uint64_t requests = 0;
  double duration_s = 0;  ///< up to the last arrival
  double rate_hz = 0;
  double configured_rate_hz = 0;
  double gap_cv = 0;
  double offered_load = 0;
  double load = 0;
  std::array<WindowCounts, 3> windows;
  double accuracy = 0;
  double mean_macs = 0;
  double mean_work_s = 0;
  double load_after_exits = 0;
  double mean_uplink_s = 0;  ///< from sending to arrival
  double sent_bytes_per_s = 0;
  std::vector<ServiceDescription> services;
};

/// The latencies of each service's network on the reference NPU.
using References = std::vector<std::shared_ptr<const npu::BatchPolicyTable>>;

/// Generates the requests of `scenario`. `least_npu_time`, of a service, may throw io::InputError, which then
/// says why there is no load. A closed loop is answered as by an idle reference NPU for each request, so that
/// its rate is the highest that it can reach there.
WorkloadDescription describe_workload(const Scenario& scenario, const References& references,
                                      const std::function<LeastNpuTime(std::size_t service)>& least_npu_time);

}  // namespace fluidbatch::sim
