// What is to be simulated, as plain values: one network, one workload, and the systems that are compared on
// it.
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

/// One policy on one NPU: what is compared.
struct System {
  std::string label;
  const scheduler::PolicyInfo* policy = nullptr;
  scheduler::ParameterValues parameters;
  bool drop_hopeless = false;
  double preemption_cost_s = 0;  ///< of the hardware: before the first layer of each preemption's newcomers
  /// Decides at run time where samples leave; nullptr: each takes the exit that the workload has drawn.
  const scheduler::ExitControlInfo* exit_control = nullptr;
  scheduler::ParameterValues exit_control_parameters;
  std::string npu_name;
  std::shared_ptr<const npu::BatchPolicyTable> table;  ///< at least up to the policy's max_batch
  /// That its policy acts by; nullptr where it needs none (scheduler::PolicyInfo::decisions).
  std::shared_ptr<const scheduler::FbeTable> decisions = nullptr;

  /// The accuracy that its exit control steers to; NaN where it has none.
  [[nodiscard]] double accuracy_target() const;
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
  workloads::Network network;
  scheduler::Slo slo;
  double reference_latency_s = 0;  ///< of a single sample that takes no exit, on the reference NPU
  workloads::Devices devices;
  workloads::UplinkSpec uplink;
  std::shared_ptr<const workloads::ExitSpec> exits;
  std::vector<System> systems;
  bool compute_bounds = true;
  bool audit = false;  ///< hold every policy to what it says of the boundaries to come (sim/core/audit.h)

  /// Whether trial runs must say how long the run is, or how long its warm-up.
  [[nodiscard]] bool is_open() const { return !settled && (!until.empty() || automatic_warmup); }
  /// Number of requests, where it is known before the run; the most, where `until` leaves it open.
  [[nodiscard]] std::optional<std::uint64_t> known_requests() const;
  /// Where the exits of `system` come from: the scenario's, or its rows that don't calibrate an exit control.
  [[nodiscard]] std::shared_ptr<const workloads::ExitSpec> exits_of(const System& system) const;
  /// The exit control of `system`; nullptr where it has none.
  [[nodiscard]] std::unique_ptr<scheduler::ExitControl> make_exit_control(const System& system) const;
  /// What the policy of `system`, whose latencies are there, may know.
  [[nodiscard]] scheduler::PolicyContext policy_context(const System& system) const;
};

}  // namespace fluidbatch::sim
