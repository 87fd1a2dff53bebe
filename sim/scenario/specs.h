// The parts of a scenario that is being built, with their defaults.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "npu_model/batch_policy_table.h"
#include "sim/scenario/arrival_processes.h"
#include "sim/scenario/exit_models.h"
#include "sim/scenario/policy_parameters.h"
#include "workloads/models/network.h"

namespace fluidbatch::sim {

/// A group of devices.
struct GroupSpec {
  ArrivalProcess arrivals;
  std::uint32_t count = 1;                                  ///< times that the arrivals stand there
  std::optional<double> sample_bytes = {};                  ///< default: the uplink's
  std::optional<double> device_bandwidth_bytes_per_s = {};  ///< default: the uplink's
  std::size_t service = 0;  ///< that they send for: its place among those given
};

/// A service of a site. What it leaves out is what the builder says without services.
struct ServiceSpec {
  std::string name;
  std::optional<workloads::Network> network = {};
  std::shared_ptr<const npu::BatchPolicyTable> table = {};  ///< of latencies, instead of an NPU
  /// The same by layer and batch (latency_table); and the segment of each layer.
  std::vector<std::vector<double>> latencies_s = {};
  std::vector<int> segments = {};
  std::optional<double> slo_s = {};
  std::optional<double> slo_unloaded_multiple = {};  ///< instead of that
  std::optional<bool> slo_end_to_end = {};
  int priority = 0;
  double weight = 1;
  ExitModel exits = {};
  std::string exit_control = {};  ///< its kind, in every system; empty: as the system says
  PolicyArguments exit_control_parameters = {};
};

/// An NPU of a site, or several equal ones.
struct NpuSpec {
  int count = 1;
  std::optional<npu::Npu> npu = {};        ///< default: that of all systems, or else the services' latencies
  std::optional<npu::Mode> npu_mode = {};  ///< likewise
  /// Of latencies, by service, instead of an NPU; likewise.
  std::vector<std::shared_ptr<const npu::BatchPolicyTable>> tables = {};
};

/// A system to be simulated.
struct SystemSpec {
  std::string policy;                  ///< its name
  PolicyArguments parameters = {};     ///< what is not given has its default
  std::string label = {};              ///< default: the policy's name
  bool drop_hopeless = false;          ///< give up queued requests that can't meet the SLO any more
  double preemption_cost_s = 0;        ///< before the first layer of each preemption's newcomers
  std::string exit_control = "fixed";  ///< its kind, for services that have none of their own
  PolicyArguments exit_control_parameters = {};
  std::optional<npu::Npu> npu = {};                         ///< default: that of all systems
  std::optional<npu::Mode> npu_mode = {};                   ///< likewise
  std::shared_ptr<const npu::BatchPolicyTable> table = {};  ///< of latencies, instead of an NPU; likewise
  std::vector<NpuSpec> npus = {};                           ///< instead of these three
  std::string arbiter = "oldest_first";                     ///< counts where there are several services
  PolicyArguments arbiter_parameters = {};
  bool preemptive = false;             ///< one service's batches may push another's off the NPU
  std::string router = "round_robin";  ///< counts where there are several NPUs
  PolicyArguments router_parameters = {};
};

}  // namespace fluidbatch::sim
