#include "sim/scenario/builder.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "sim/scenario/expected_length.h"
#include "sim/scenario/least_npu_time.h"
#include "sim/scenario/requirement.h"
#include "workloads/io/range.h"

namespace fluidbatch::sim {
namespace {

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
    require_none(objection_to_target(target.statistic, any_slo(scenario.services)));
    io::require_in(kRelativeHalfWidths, target.relative_half_width, "a relative half-width");
  }
  for (const System& system : scenario.systems) {
    if (const auto objection = objection_to_latencies(system)) throw std::invalid_argument(*objection);
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

ScenarioBuilder& ScenarioBuilder::table(std::shared_ptr<const npu::BatchPolicyTable> table) {
  latencies_ = {.npu = std::nullopt, .mode = npu::Mode::r, .table = std::move(table)};
  return *this;
}

ScenarioBuilder& ScenarioBuilder::latencies_s(const std::vector<std::vector<double>>& by_layer,
                                              const std::vector<int>& segments) {
  return table(latency_table(by_layer, segments));
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

ScenarioBuilder& ScenarioBuilder::service(ServiceSpec service) {
  services_.push_back(std::move(service));
  return *this;
}

ScenarioBuilder& ScenarioBuilder::arrivals(ArrivalProcess process) {
  return devices({{.arrivals = std::move(process)}});
}

ScenarioBuilder& ScenarioBuilder::recorded(const std::vector<Sample>& samples,
                                           const std::vector<double>& known_exit_rates) {
  arrivals(sim::recorded(samples));
  if (std::ranges::all_of(samples, [](const Sample& sample) { return sample.exit >= 0; })) {
    recorded_exits_ = exits_of_arrivals(known_exit_rates);
  }
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
  recorded_exits_ = nullptr;
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
  return exits(sim::exit_rates(rates));
}

ScenarioBuilder& ScenarioBuilder::correlated_exits(const std::vector<double>& rates, double correlation) {
  return exits(sim::correlated_exits(rates, correlation));
}

ScenarioBuilder& ScenarioBuilder::confidences(const std::vector<workloads::JudgedSample>& samples,
                                              const std::vector<double>& thresholds) {
  return exits(sim::confidences(samples, thresholds));
}

ScenarioBuilder& ScenarioBuilder::exit_list(const std::vector<int>& taken,
                                            const std::vector<double>& known_rates) {
  return exits(sim::exit_list(taken, known_rates));
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

scheduler::Slo ScenarioBuilder::slo_of(const ServiceSpec& spec, const Scenario& scenario,
                                       double reference_latency_s) const {
  constexpr io::Range kRange = io::Range::non_negative_or_infinite();
  require(!spec.slo_s || !spec.slo_unloaded_multiple, "an SLO is in seconds, or a multiple");
  scheduler::Slo slo{.latency_s = io::require_in(kRange, spec.slo_s.value_or(slo_s_), "the SLO, in seconds,"),
                     .end_to_end = spec.slo_end_to_end.value_or(slo_end_to_end_),
                     .answer_latency_s = scenario.uplink.answer_latency_s};
  const auto multiple = spec.slo_s ? std::nullopt : spec.slo_unloaded_multiple;
  if (const auto counts = multiple || spec.slo_s ? multiple : slo_multiple_) {
    slo.latency_s = io::require_in(kRange, *counts, "the SLO's multiple") * reference_latency_s;
  }
  return slo;
}

void ScenarioBuilder::add_service(Scenario& scenario, const ServiceSpec& spec,
                                  std::vector<ServiceDefaults>& defaults) const {
  ServiceDefaults its{.latencies = latencies_,
                      .exit_control = spec.exit_control,
                      .exit_control_parameters = spec.exit_control_parameters};
  require(spec.table == nullptr || spec.latencies_s.empty(), "latencies are in a table, or a list");
  if (spec.table != nullptr) its.latencies.table = spec.table;
  if (!spec.latencies_s.empty()) its.latencies.table = latency_table(spec.latencies_s, spec.segments);
  const bool own = its.latencies.table != latencies_.table;
  const auto& network = spec.network || own ? spec.network : network_;
  require(network || its.latencies.table != nullptr, "a scenario needs a network, or latencies of one");
  Service service;
  service.name = spec.name;
  service.network = network ? *network : network_of(*its.latencies.table);
  require(!service.network.layers.empty(), "a network needs at least one layer");
  require(service.network.exit_count() == service.network.layers.back().segment + 1,
          "a network needs a name for the exit of each segment");
  service.reference_latency_s = reference_of(its).table_of(service.network, 1)->single_sample_latency_s();
  service.slo = slo_of(spec, scenario, service.reference_latency_s);
  io::require_in({.min = -kLargestPriority, .max = kLargestPriority}, spec.priority, "a priority");
  service.priority = spec.priority;
  service.weight = io::require_in(kWeights, spec.weight, "a weight");
  if (!services_.empty()) require_none(objection_to_service_name(scenario.services, service.name));
  scenario.services.push_back(std::move(service));
  defaults.push_back(std::move(its));
}

ExitModel ScenarioBuilder::exits_of(std::size_t service) const {
  if (!services_.empty() && services_[service].exits) return services_[service].exits;
  if (exits_) return exits_;
  return recorded_exits_ ? recorded_exits_ : no_exits();
}

void ScenarioBuilder::add_workload(Scenario& scenario, const std::vector<ServiceDefaults>& defaults) const {
  require(!groups_.empty(), "a scenario needs arrivals");
  const auto make_exits = [&](std::size_t number, const workloads::Devices* devices) {
    Service& service = scenario.services[number];
    if (service.exits != nullptr) return;
    const int exits = service.network.exit_count();
    service.exits = exits_of(number)({.exits = exits, .devices = devices, .service = number});
    require_none(workloads::objection_to_count("exit rates", service.exits->rates().size(), exits));
  };
  const auto context_of = [&](std::size_t number) {
    const auto least_npu_time_s = [&, number] {
      make_exits(number, nullptr);
      const Service& service = scenario.services[number];
      const auto table = reference_of(defaults[number]).table_of(service.network, reference_max_batch_);
      return least_npu_time(*table, service.exits->rates()).request_s;
    };
    return workloads::ArrivalContext{.reference_latency_s = scenario.services[number].reference_latency_s,
                                     .least_npu_time_s = least_npu_time_s,
                                     .uplink = scenario.uplink.model != workloads::UplinkSpec::Model::none};
  };
  std::vector<workloads::DeviceGroup> groups;
  for (const GroupSpec& spec : groups_) {
    require(spec.arrivals != nullptr, "a group of devices needs arrivals");
    require(spec.service < scenario.services.size(),
            "a group of devices sends for a service that is not there");
    workloads::DeviceGroup group;
    group.count = spec.count;
    group.arrivals = spec.arrivals(context_of(spec.service));
    group.service = spec.service;
    group.sample_bytes = spec.sample_bytes.value_or(device_defaults_.sample_bytes);
    group.bandwidth_bytes_per_s =
        spec.device_bandwidth_bytes_per_s.value_or(device_defaults_.bandwidth_bytes_per_s);
    groups.push_back(std::move(group));
  }
  scenario.devices = workloads::make_devices(std::move(groups));
  require_none(objection_to_devices(scenario));
  for (std::size_t number = 0; number < scenario.services.size(); ++number) {
    make_exits(number, &scenario.devices);
    require_none(objection_to_exit_list(scenario, number));
  }
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
  scenario.uplink = workloads::make_uplink(uplink_);
  require_none(objection_to_services(services_.size()));
  scenario.services.clear();
  std::vector<ServiceDefaults> defaults;
  for (const ServiceSpec& spec : services_.empty() ? std::vector<ServiceSpec>(1) : services_) {
    add_service(scenario, spec, defaults);
  }
  add_workload(scenario, defaults);
  require(!systems_.empty(), "a scenario needs at least one system");
  for (const SystemSpec& spec : systems_) scenario.systems.push_back(build_system(spec, scenario, defaults));
  check(scenario);
  return scenario;
}

}  // namespace fluidbatch::sim
