// What is to be simulated, as plain values: services, one workload, and the systems that are compared on it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "npu_model/batch_policy_table.h"
#include "scheduler/registry.h"
#include "scheduler/slo.h"
#include "sim/measure/precision.h"
#include "workloads/models/network.h"
#include "workloads/traffic/devices.h"
#include "workloads/traffic/exit_source.h"
#include "workloads/traffic/request_stream.h"
#include "workloads/uplink/uplink.h"

namespace fluidbatch::sim {

/// What decides at run time where samples leave.
struct ExitControlChoice {
  const scheduler::ExitControlInfo* info = nullptr;  ///< nullptr: each takes the exit that has been drawn
  scheduler::ParameterValues parameters;

  [[nodiscard]] bool decides() const { return info != nullptr; }
  /// The accuracy that it steers to; NaN where it has none.
  [[nodiscard]] double accuracy_target() const;
};

/// What says which service's turn it is on an NPU.
struct ArbiterChoice {
  const scheduler::ArbiterInfo* info = nullptr;  ///< nullptr: there is one service
  scheduler::ParameterValues parameters;
  bool preemptive = false;  ///< one service's batches may push another's off the NPU
};

/// What says to which NPU a request goes.
struct RouterChoice {
  const scheduler::RouterInfo* info = nullptr;  ///< nullptr: there is one NPU
  scheduler::ParameterValues parameters;
};

/// A network that a site serves: one with its own bound, exits and devices.
struct Service {
  std::string name;  ///< empty where there is one, and nobody has named it
  workloads::Network network;
  scheduler::Slo slo;
  int priority = 0;                ///< for arbiters: the larger, the more urgent
  double weight = 1;               ///< for arbiters: of its share of an NPU
  double reference_latency_s = 0;  ///< of a single sample that takes no exit, on the reference NPU
  std::shared_ptr<const workloads::ExitSpec> exits;
};

/// An NPU of a system, with what runs on it.
struct SystemNpu {
  std::string name;
  /// By service, each at least up to the policy's max_batch.
  std::vector<std::shared_ptr<const npu::BatchPolicyTable>> tables;
  /// By service: that its policy acts by; nullptr where it needs none (scheduler::PolicyInfo::decisions).
  std::vector<std::shared_ptr<const scheduler::FbeTable>> decisions = {};
};

/// One policy on one NPU, or on several: what is compared.
struct System {
  std::string label;
  const scheduler::PolicyInfo* policy = nullptr;
  scheduler::ParameterValues parameters;
  bool drop_hopeless = false;
  double preemption_cost_s = 0;  ///< of the hardware: before the first layer of each preemption's newcomers
  ArbiterChoice arbiter;
  RouterChoice router;
  std::vector<ExitControlChoice> exit_controls = std::vector<ExitControlChoice>(1);  ///< by service
  std::vector<SystemNpu> npus;                                                       ///< at least one

  // Of a system with one NPU and one service; std::logic_error for others.

  [[nodiscard]] const std::shared_ptr<const npu::BatchPolicyTable>& table() const {
    return sole().tables.front();
  }
  [[nodiscard]] const ExitControlChoice& exit_control() const;

  /// The names of its NPUs, as in: 2 x zu7ev_small + zu7ev_large.
  [[nodiscard]] std::string npu_names() const;
  /// Their modes, likewise; one where all have the same.
  [[nodiscard]] std::string npu_mode_names() const;
  [[nodiscard]] int max_batch() const { return policy->traits(parameters).max_batch; }
  /// Whether any service's exits are decided at run time.
  [[nodiscard]] bool decides_exits() const;

 private:
  [[nodiscard]] const SystemNpu& sole() const;
};

/// All that `simulate` needs to know. Every system meets the same requests, but for the samples of those
/// whose exit control calibrates on half of the recorded ones.
struct Scenario {
  std::uint64_t seed = 1;
  workloads::RunLength length;         ///< of a run to a precision that is not settled: the most it may take
  std::vector<PrecisionTarget> until;  ///< what a run to a precision is to reach; empty for others
  std::uint64_t warmup_requests = 0;
  bool automatic_warmup = false;  ///< these are what MSER-5 finds (sim/measure/warmup.h)
  bool warmup_at_end = false;     ///< and it found them at the end of what it looks at
  /// `length` and `warmup_requests` are those of the run, in accordance with `until` and `automatic_warmup`
  /// (sim/run/settle.h). Where neither asks for anything they are so in any case.
  bool settled = false;
  std::vector<Service> services = std::vector<Service>(1);  ///< at least one
  workloads::Devices devices;                               ///< each sends for one of them
  workloads::UplinkSpec uplink;
  std::vector<System> systems;
  bool compute_bounds = true;
  bool audit = false;  ///< hold every policy to what it says of the boundaries to come (sim/core/audit.h)

  /// Whether its length is a number of requests, rather than a duration.
  [[nodiscard]] bool ends_by_requests() const {
    return length.requests != std::numeric_limits<std::uint64_t>::max();
  }
  /// Whether trial runs must say how long the run is, or how long its warm-up.
  [[nodiscard]] bool is_open() const { return !settled && (!until.empty() || automatic_warmup); }
  /// Length of the list of exits that ends the run; 0 where none does.
  [[nodiscard]] std::uint64_t bound_of_exits() const;
  /// Number of requests, where it is known before the run; the most, where `until` leaves it open.
  [[nodiscard]] std::optional<std::uint64_t> known_requests() const;
  /// The only service; std::logic_error where there are several.
  [[nodiscard]] const Service& service() const;
  [[nodiscard]] Service& service();
  /// The names of the services' networks, as in: ee_resnet18 + mobilenet_v2.
  [[nodiscard]] std::string network_names() const;
  /// The least bound of any service; infinity where none has one.
  [[nodiscard]] double least_slo_s() const;
  /// Whether `system` has several services or several NPUs.
  [[nodiscard]] bool is_site(const System& system) const {
    return services.size() > 1 || system.npus.size() > 1;
  }

  /// Where the exits of a service come from under `system`: as configured, or its rows that don't calibrate
  /// an exit control.
  [[nodiscard]] std::shared_ptr<const workloads::ExitSpec> exits_of(const System& system,
                                                                    std::size_t service) const;
  /// The same of all requests, whichever service they are for.
  [[nodiscard]] std::shared_ptr<const workloads::ExitSpec> exits_of(const System& system) const;
  /// The exit control of a service under `system`; nullptr where it has none.
  [[nodiscard]] std::unique_ptr<scheduler::ExitControl> make_exit_control(const System& system,
                                                                          std::size_t service) const;
  /// What the policy of a service at one NPU of `system`, whose latencies are there, may know: of the
  /// arrivals, an equal part of all for the service.
  [[nodiscard]] scheduler::PolicyContext policy_context(const System& system, std::size_t npu,
                                                        std::size_t service) const;
};

}  // namespace fluidbatch::sim
