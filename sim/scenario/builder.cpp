#include "sim/scenario/builder.h"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <utility>

#include "sim/scenario/expected_length.h"
#include "sim/scenario/least_npu_time.h"
#include "workloads/io/range.h"

namespace fluidbatch::sim {
namespace {

using npu::BatchPolicyTable;

void require(bool holds, const std::string& message) {
  if (!holds) throw std::invalid_argument(message);
}

void require_none(const std::optional<std::string>& objection) {
  if (objection) throw std::invalid_argument(*objection);
}

/// The network that a table of latencies is of.
workloads::Network network_of(const BatchPolicyTable& table) {
  workloads::Network network;
  network.name = "measured";
  for (int layer = 0; layer < table.layers(); ++layer) network.layers.push_back(table.layer(layer));
  for (int exit = 0; exit < table.segments(); ++exit) network.exits.push_back("e" + std::to_string(exit));
  return network;
}

/// What concerns all parts together.
void check(const Scenario& scenario) {
  constexpr double kMost = kMostRequests;
  const workloads::RunLength& length = scenario.length;
  if (length.duration_s < std::numeric_limits<double>::infinity()) {
    io::require_in(io::Range::positive(), length.duration_s, "the duration, in seconds,");
  } else {
    io::require_in({.min = 1, .max = kMost}, static_cast<double>(length.requests), "requests");
  }
  io::require_in({.min = 0, .max = kMost}, static_cast<double>(scenario.warmup_requests), "warmup_requests");
  require_none(objection_to_warmup(scenario));
  for (const PrecisionTarget& target : scenario.until) {
    require_none(objection_to_target(target.statistic, scenario.service().slo));
    io::require_in(kRelativeHalfWidths, target.relative_half_width, "a relative half-width");
  }
  for (const System& system : scenario.systems) {
    if (const auto objection = objection_to_latencies(*system.table())) {
      throw std::invalid_argument("system '" + system.label + "': " + *objection);
    }
  }
  require_none(objection_to_expected_dates(scenario));
}

}  // namespace

ScenarioBuilder& ScenarioBuilder::network(workloads::Network network) {
  network_ = std::move(network);
  return *this;
}

ScenarioBuilder& ScenarioBuilder::npu(npu::Npu npu, npu::Mode mode) {
  latencies_ = {.npu = std::move(npu), .mode = mode, .table = nullptr};
  return *this;
}

ScenarioBuilder& ScenarioBuilder::table(std::shared_ptr<const BatchPolicyTable> table) {
  latencies_ = {.npu = std::nullopt, .mode = npu::Mode::r, .table = std::move(table)};
  return *this;
}

ScenarioBuilder& ScenarioBuilder::latencies_s(const std::vector<std::vector<double>>& by_layer,
                                              const std::vector<int>& segments) {
  require(!by_layer.empty(), "latencies need at least one layer");
  require(segments.empty() || segments.size() == by_layer.size(), "each layer needs its segment");
  const std::size_t batches = by_layer.front().size();
  Eigen::ArrayXXd seconds(static_cast<Eigen::Index>(by_layer.size()), static_cast<Eigen::Index>(batches));
  std::vector<npu::Layer> layers(by_layer.size());
  for (std::size_t i = 0; i < by_layer.size(); ++i) {
    require(by_layer[i].size() == batches, "each layer needs a latency for each batch size");
    layers[i].name = "l" + std::to_string(i);
    layers[i].gemm = {.groups = 1, .r = 1, .p = 1, .c = 1};
    layers[i].segment = segments.empty() ? 0 : segments[i];
    for (std::size_t b = 0; b < batches; ++b) {
      seconds(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(b)) = by_layer[i][b];
    }
  }
  return table(std::make_shared<const BatchPolicyTable>(std::move(layers), seconds));
}

ScenarioBuilder& ScenarioBuilder::reference(npu::Npu npu, npu::Mode mode) {
  reference_ = {.npu = std::move(npu), .mode = mode, .table = nullptr};
  return *this;
}

ScenarioBuilder& ScenarioBuilder::reference_max_batch(int max_batch) {
  reference_max_batch_ = max_batch;
  return *this;
}

ScenarioBuilder& ScenarioBuilder::system(SystemSpec system) {
  systems_.push_back(std::move(system));
  return *this;
}

ScenarioBuilder& ScenarioBuilder::arrivals(ArrivalProcess process) {
  return devices({{.arrivals = std::move(process)}});
}

ScenarioBuilder& ScenarioBuilder::recorded(const std::vector<Sample>& samples,
                                           const std::vector<double>& known_exit_rates) {
  arrivals(sim::recorded(samples));
  exits_recorded_ =
      std::all_of(samples.begin(), samples.end(), [](const Sample& sample) { return sample.exit >= 0; });
  known_exit_rates_ = known_exit_rates;
  return *this;
}

ScenarioBuilder& ScenarioBuilder::dates_s(const std::vector<double>& dates) {
  std::vector<Sample> samples;
  samples.reserve(dates.size());
  for (const double date_s : dates) samples.push_back({.date_s = date_s});
  return recorded(samples);
}

ScenarioBuilder& ScenarioBuilder::devices(std::vector<GroupSpec> groups) {
  groups_ = std::move(groups);
  exits_recorded_ = false;
  return *this;
}

ScenarioBuilder& ScenarioBuilder::uplink(const workloads::UplinkSpec& uplink,
                                         const workloads::DeviceDefaults& devices) {
  uplink_ = uplink;
  device_defaults_ = devices;
  return *this;
}

ScenarioBuilder& ScenarioBuilder::exits(ExitModel model) {
  exits_ = std::move(model);
  return *this;
}

ScenarioBuilder& ScenarioBuilder::exit_rates(const std::vector<double>& rates) {
  return exits([=](const workloads::ExitContext& /*context*/) { return workloads::make_rates(rates); });
}

ScenarioBuilder& ScenarioBuilder::correlated_exits(const std::vector<double>& rates, double correlation) {
  return exits([=](const workloads::ExitContext& /*context*/) {
    return workloads::make_correlated(rates, correlation);
  });
}

ScenarioBuilder& ScenarioBuilder::confidences(const std::vector<workloads::JudgedSample>& samples,
                                              const std::vector<double>& thresholds) {
  return exits([=](const workloads::ExitContext& /*context*/) {
    return workloads::make_confidences(samples, thresholds);
  });
}

ScenarioBuilder& ScenarioBuilder::exit_list(const std::vector<int>& taken,
                                            const std::vector<double>& known_rates) {
  return exits([=](const workloads::ExitContext& context) {
    return workloads::make_exit_list(taken, context.exits, known_rates);
  });
}

ScenarioBuilder& ScenarioBuilder::slo_s(double latency_s) {
  slo_s_ = latency_s;
  slo_multiple_.reset();
  return *this;
}

ScenarioBuilder& ScenarioBuilder::slo_unloaded_multiple(double multiple) {
  slo_multiple_ = multiple;
  return *this;
}

ScenarioBuilder& ScenarioBuilder::slo_end_to_end() {
  slo_end_to_end_ = true;
  return *this;
}

ScenarioBuilder& ScenarioBuilder::requests(std::uint64_t requests) {
  length_ = {.requests = requests};
  until_.clear();
  return *this;
}

ScenarioBuilder& ScenarioBuilder::duration_s(double duration_s) {
  length_ = {.duration_s = duration_s};
  until_.clear();
  return *this;
}

ScenarioBuilder& ScenarioBuilder::until(std::vector<PrecisionTarget> targets, std::uint64_t max_requests) {
  length_ = {.requests = max_requests};
  until_ = std::move(targets);
  return *this;
}

ScenarioBuilder& ScenarioBuilder::warmup_requests(std::uint64_t requests) {
  warmup_requests_ = requests;
  automatic_warmup_ = false;
  return *this;
}

ScenarioBuilder& ScenarioBuilder::automatic_warmup() {
  warmup_requests_ = 0;
  automatic_warmup_ = true;
  return *this;
}

ScenarioBuilder& ScenarioBuilder::seed(std::uint64_t seed) {
  seed_ = seed;
  return *this;
}

ScenarioBuilder& ScenarioBuilder::bounds(bool compute) {
  compute_bounds_ = compute;
  return *this;
}

workloads::Network ScenarioBuilder::the_network() const {
  if (!network_) {
    require(latencies_.table != nullptr, "a scenario needs a network, or latencies of one");
    return network_of(*latencies_.table);
  }
  require(!network_->layers.empty(), "a network needs at least one layer");
  require(network_->exit_count() == network_->layers.back().segment + 1,
          "a network needs a name for the exit of each segment");
  return *network_;
}

std::shared_ptr<const BatchPolicyTable> ScenarioBuilder::table_of(const Latencies& latencies,
                                                                  const workloads::Network& network,
                                                                  int max_batch) {
  if (latencies.table == nullptr) {
    require(latencies.npu.has_value(), "a scenario needs an NPU, or latencies");
    return std::make_shared<const BatchPolicyTable>(network.layers, *latencies.npu, latencies.mode,
                                                    max_batch);
  }
  const BatchPolicyTable& table = *latencies.table;
  require(
      table.layers() == static_cast<int>(network.layers.size()) && table.segments() == network.exit_count(),
      "latencies need the layers and segments of the network");
  require(table.max_batch() >= max_batch, "latencies for batches up to " + std::to_string(max_batch) +
                                              " are needed, and there are those up to " +
                                              std::to_string(table.max_batch()));
  return latencies.table;
}

scheduler::Slo ScenarioBuilder::the_slo(const Scenario& scenario) const {
  constexpr io::Range kRange = io::Range::non_negative_or_infinite();
  scheduler::Slo slo{.latency_s = io::require_in(kRange, slo_s_, "the SLO, in seconds,"),
                     .end_to_end = slo_end_to_end_,
                     .answer_latency_s = scenario.uplink.answer_latency_s};
  if (slo_multiple_) {
    slo.latency_s =
        io::require_in(kRange, *slo_multiple_, "the SLO's multiple") * scenario.service().reference_latency_s;
  }
  return slo;
}

void ScenarioBuilder::add_workload(Scenario& scenario) const {
  require(!groups_.empty(), "a scenario needs arrivals");
  const int exits = scenario.service().network.exit_count();
  const auto make_exits = [&](const workloads::Devices* devices) {
    if (scenario.service().exits != nullptr) return;
    if (exits_) {
      scenario.service().exits = exits_({.exits = exits, .devices = devices});
    } else if (exits_recorded_) {
      require(devices != nullptr,
              "a load of the arrivals needs the exit rates first, and these exits are "
              "named by the arrivals");
      scenario.service().exits = workloads::make_exits_of_arrivals(*devices, exits, known_exit_rates_);
    } else {
      scenario.service().exits = workloads::make_no_exits(exits);
    }
    require_none(
        workloads::objection_to_count("exit rates", scenario.service().exits->rates().size(), exits));
  };
  const auto least_npu_time_s = [&] {
    make_exits(nullptr);
    const auto table = table_of(reference_latencies(), scenario.service().network, reference_max_batch_);
    return least_npu_time(*table, scenario.service().exits->rates()).request_s;
  };
  const workloads::ArrivalContext context{
      .reference_latency_s = scenario.service().reference_latency_s,
      .least_npu_time_s = least_npu_time_s,
      .uplink = scenario.uplink.model != workloads::UplinkSpec::Model::none};
  std::vector<workloads::DeviceGroup> groups;
  for (const GroupSpec& spec : groups_) {
    require(spec.arrivals != nullptr, "a group of devices needs arrivals");
    workloads::DeviceGroup group;
    group.count = spec.count;
    group.arrivals = spec.arrivals(context);
    group.sample_bytes = spec.sample_bytes.value_or(device_defaults_.sample_bytes);
    group.bandwidth_bytes_per_s =
        spec.device_bandwidth_bytes_per_s.value_or(device_defaults_.bandwidth_bytes_per_s);
    groups.push_back(std::move(group));
  }
  scenario.devices = workloads::make_devices(std::move(groups));
  make_exits(&scenario.devices);
}

System ScenarioBuilder::the_system(const SystemSpec& spec, const Scenario& scenario) const {
  System system;
  system.policy = &policy_called(spec.policy);
  require_none(objection_to_policy(*system.policy, scenario.service().slo));
  system.parameters =
      parameter_values("policy " + system.policy->name, system.policy->parameters, spec.parameters);
  system.label = spec.label.empty() ? spec.policy : spec.label;
  require_none(objection_to_label(system.label));
  require_none(objection_to_second_label(scenario.systems, system.label));
  system.drop_hopeless = spec.drop_hopeless;
  system.preemption_cost_s =
      io::require_in(kPreemptionCosts_s, spec.preemption_cost_s, "preemption_cost_s, in seconds,");
  const scheduler::ExitControlInfo& control = exit_control_called(spec.exit_control);
  ExitControlChoice& choice = system.exit_controls.front();
  choice.parameters =
      parameter_values("exit_control " + control.name, control.parameters, spec.exit_control_parameters);
  if (control.make) choice.info = &control;
  require_none(objection_to_exit_control(choice, *scenario.service().exits));
  Latencies latencies = latencies_;
  if (spec.npu) latencies = {.npu = spec.npu, .mode = latencies_.mode, .table = nullptr};
  if (spec.table != nullptr) latencies.table = spec.table;
  if (spec.npu_mode) {
    require(latencies.table == nullptr, "npu_mode does not go with a measured table");
    latencies.mode = *spec.npu_mode;
  }
  system.npus.push_back({.name = latencies.table == nullptr ? latencies.npu->name : "measured",
                         .tables = {table_of(latencies, scenario.service().network, system.max_batch())}});
  require_none(add_decisions(system, scenario));
  return system;
}

Scenario ScenarioBuilder::build() const {
  const scheduler::Parameter max_batch = scheduler::max_batch_parameter();
  io::require_in({.min = max_batch.min, .max = max_batch.max}, reference_max_batch_,
                 "the reference's max_batch");
  require(seed_ <= kLargestSeed, "a seed must be at most " + std::to_string(kLargestSeed));
  Scenario scenario;
  scenario.seed = seed_;
  scenario.length = length_;
  scenario.until = until_;
  scenario.warmup_requests = warmup_requests_;
  scenario.automatic_warmup = automatic_warmup_;
  scenario.compute_bounds = compute_bounds_;
  scenario.service().network = the_network();
  scenario.service().reference_latency_s =
      table_of(reference_latencies(), scenario.service().network, 1)->single_sample_latency_s();
  scenario.uplink = workloads::make_uplink(uplink_);
  scenario.service().slo = the_slo(scenario);
  add_workload(scenario);
  require(!systems_.empty(), "a scenario needs at least one system");
  for (const SystemSpec& spec : systems_) scenario.systems.push_back(the_system(spec, scenario));
  check(scenario);
  return scenario;
}

}  // namespace fluidbatch::sim
