// Scenarios built by a program: a case sets what it is about, everything else has its default.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "npu_model/batch_policy_table.h"
#include "sim/scenario/checks.h"
#include "sim/scenario/latency_source.h"
#include "sim/scenario/scenario.h"
#include "sim/scenario/specs.h"
#include "sim/scenario/system_builder.h"
#include "workloads/uplink/uplink.h"

namespace fluidbatch::sim {

/// Builds a Scenario of plain values, without a file:
///
///     const Scenario scenario = ScenarioBuilder()
///                                   .latencies_s({{4, 6}, {2, 4}}, {0, 1})
///                                   .poisson(Rate::hz(0.1))
///                                   .exit_rates({0.5})
///                                   .slo_s(20)
///                                   .system({.policy = "exit_aware", .parameters = {{"max_batch", 2}}})
///                                   .build();
///     const RunStatistics statistics = simulate(scenario, scenario.systems[0]);
///
/// Setters come in any order; of two that set the same thing the later one counts. `build` looks at it all,
/// by the rules by which a configuration is read (docs/configuration.md): it throws std::invalid_argument
/// where something is missing, out of range or does not go together.
class ScenarioBuilder {
 public:
  // What runs, and on what.

  /// Must be given, or else latencies that say it.
  ScenarioBuilder& network(workloads::Network network);
  /// The NPU of all systems that name none, and of the reference.
  ScenarioBuilder& npu(npu::Npu npu, npu::Mode mode = npu::Mode::r);
  /// Latencies instead of an NPU; without a network its layers are the network.
  ScenarioBuilder& table(std::shared_ptr<const npu::BatchPolicyTable> table);
  /// Latencies by layer, for batches of 1, 2, ..; and the segment of each layer, a layer's exit being at the
  /// end of its segment. Without segments there is no early exit.
  ScenarioBuilder& latencies_s(const std::vector<std::vector<double>>& by_layer,
                               const std::vector<int>& segments = {});
  /// What `rho`, `load` and a multiple of the unloaded latency are relative to, where it is not the NPU of
  /// all systems.
  ScenarioBuilder& reference(npu::Npu npu, npu::Mode mode = npu::Mode::r);
  /// The largest batch that `load` counts with; 8.
  ScenarioBuilder& reference_max_batch(int max_batch);
  /// At least one.
  ScenarioBuilder& system(SystemSpec system);
  /// One with the policy of that name and all else at its default.
  ScenarioBuilder& system(const char* policy) { return system(SystemSpec{.policy = policy}); }

  // Of a site: its services, in order. What one leaves out is what is said here without services.

  /// Adds one; groups of devices send for it by its name.
  ScenarioBuilder& service(ServiceSpec service);

  // What comes. `arrivals` or `devices` must be given.

  /// One group of one device (or of those that the process speaks of).
  ScenarioBuilder& arrivals(ArrivalProcess process);
  /// A device that sends as a Poisson process.
  ScenarioBuilder& poisson(workloads::Rate rate) { return arrivals(sim::poisson(rate)); }
  /// Recorded arrivals, one group. Where all name their exits, these are taken unless something else is said;
  /// policies know `known_exit_rates` or, where empty, the rates that they have.
  ScenarioBuilder& recorded(const std::vector<Sample>& samples,
                            const std::vector<double>& known_exit_rates = {});
  /// Recorded arrivals of which no more is known than their dates, in order.
  ScenarioBuilder& dates_s(const std::vector<double>& dates);
  /// Several groups.
  ScenarioBuilder& devices(std::vector<GroupSpec> groups);
  /// None: every sample is at the server when it is sent.
  ScenarioBuilder& uplink(const workloads::UplinkSpec& uplink, const workloads::DeviceDefaults& devices);

  // Which exit each takes: the final one.

  /// Any model of exits.
  ScenarioBuilder& exits(ExitModel model);
  /// Independent exits: of the samples that reach each early exit, the share that leaves there.
  ScenarioBuilder& exit_rates(const std::vector<double>& rates);
  /// Likewise, but alike from one sample of a device to its next.
  ScenarioBuilder& correlated_exits(const std::vector<double>& rates, double correlation);
  /// Recorded samples, each of which leaves at the first early exit whose threshold its confidence reaches,
  /// unless a system's exit control decides otherwise.
  ScenarioBuilder& confidences(const std::vector<workloads::JudgedSample>& samples,
                               const std::vector<double>& thresholds);
  /// Of each request in order of sending; the list ends the run. Policies know `known_rates` or, where empty,
  /// those of the list.
  ScenarioBuilder& exit_list(const std::vector<int>& taken, const std::vector<double>& known_rates = {});

  // How it is looked at.

  /// Infinite: nothing is late.
  ScenarioBuilder& slo_s(double latency_s);
  /// Times the reference's latency of a single sample that takes no exit.
  ScenarioBuilder& slo_unloaded_multiple(double multiple);
  /// The bound is laid on the time from sending to answer, not on that at the server.
  ScenarioBuilder& slo_end_to_end();
  /// 100,000, or as many as are recorded.
  ScenarioBuilder& requests(std::uint64_t requests);
  /// Instead of a number: all that is sent before this date.
  ScenarioBuilder& duration_s(double duration_s);
  /// Instead: until these precisions are reached, with at most so many requests. `settle` (sim/run/settle.h)
  /// finds how many it takes, before `simulate`.
  ScenarioBuilder& until(std::vector<PrecisionTarget> targets,
                         std::uint64_t max_requests = kDefaultMaxRequests);
  /// Simulated, and left out of the statistics; 0.
  ScenarioBuilder& warmup_requests(std::uint64_t requests);
  /// Instead: as many as MSER-5 finds, likewise by `settle`.
  ScenarioBuilder& automatic_warmup();
  /// All random draws are a function of it; 1.
  ScenarioBuilder& seed(std::uint64_t seed);
  /// Whether lower bounds of the mean latency are computed; true.
  ScenarioBuilder& bounds(bool compute);

  [[nodiscard]] Scenario build() const;

 private:
  void add_service(Scenario& scenario, const ServiceSpec& spec, std::vector<ServiceDefaults>& defaults) const;
  [[nodiscard]] scheduler::Slo slo_of(const ServiceSpec& spec, const Scenario& scenario,
                                      double reference_latency_s) const;
  [[nodiscard]] ExitModel exits_of(std::size_t service) const;
  void add_workload(Scenario& scenario, const std::vector<ServiceDefaults>& defaults) const;
  [[nodiscard]] const LatencySource& reference_of(const ServiceDefaults& service) const {
    return reference_.npu ? reference_ : service.latencies;
  }

  std::optional<workloads::Network> network_;
  LatencySource latencies_;
  LatencySource reference_;  // without an NPU: as the service's latencies
  int reference_max_batch_ = 8;
  std::vector<ServiceSpec> services_;  // empty: there is one, without a name
  std::vector<SystemSpec> systems_;
  std::vector<GroupSpec> groups_;
  workloads::UplinkSpec uplink_;
  workloads::DeviceDefaults device_defaults_;
  ExitModel exits_;           // empty: those recorded, or none
  ExitModel recorded_exits_;  // empty: none are recorded
  std::optional<double> slo_multiple_;
  double slo_s_ = std::numeric_limits<double>::infinity();
  bool slo_end_to_end_ = false;
  workloads::RunLength length_{.requests = 100'000};
  std::vector<PrecisionTarget> until_;
  std::uint64_t warmup_requests_ = 0;
  bool automatic_warmup_ = false;
  std::uint64_t seed_ = 1;
  bool compute_bounds_ = true;
};

}  // namespace fluidbatch::sim
