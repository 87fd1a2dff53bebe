// One of each kind of systems, arrivals, exits: for what has to hold with all of them.
#include "tests/support/all_kinds.h"

#include <cmath>
#include <memory>

#include "scheduler/optimum/fbe_table.h"
#include "tests/support/scenarios.h"
#include "workloads/exits/exits.h"

namespace fluidbatch::test {
namespace {

/// For four segments: an idle NPU waits for two, and one that is alone lets another one catch up.
std::shared_ptr<const scheduler::FbeTable> of_pairs() {
  scheduler::FbeTable table(4, 4, 3);
  for (int queue = 2; queue <= 3; ++queue) table.set_newcomers({.queue = queue}, 2);
  for (int segment = 1; segment < 4; ++segment) {
    for (int queue = 1; queue <= 3; ++queue) {
      table.set_newcomers({.queue = queue, .active = 1, .segment = segment}, 1);
    }
  }
  return std::make_shared<const scheduler::FbeTable>(table);
}

}  // namespace

std::vector<sim::SystemSpec> with_exit_control() {
  const sim::PolicyArguments steered{
      {"queue_gain", 0.1}, {"accuracy_target", 0.7}, {"step", 2}, {"window", 3}, {"floor", 0.1}};
  return {
      {.policy = "exit_aware",
       .label = "steered",
       .exit_control = "adaptive",
       .exit_control_parameters = steered},
      {.policy = "lazy_batching", .label = "adaptive", .drop_hopeless = true, .exit_control = "adaptive"}};
}

std::vector<sim::SystemSpec> all_systems() {
  std::vector<sim::SystemSpec> systems;
  const std::string of_serial = scheduler::find_policy("serial")->summary;
  for (const scheduler::PolicyInfo& info : scheduler::all_policies()) {
    // Tests of the registry leave copies of it.
    if (info.summary == of_serial && info.name != "serial") continue;
    sim::SystemSpec system{.policy = info.name};
    // Loads of all kinds come, also such as have no mean rate.
    if (info.name == "optimal") system.parameters = {{"rate_hz", 40}, {"deadline_guard", true}};
    if (info.name == "table") system.parameters = {{"path", of_pairs()}};
    systems.push_back(system);
  }
  systems.push_back({.policy = "dynamic_batching",
                     .parameters = {{"max_batch", 4}, {"max_queue_delay_ms", 30}},
                     .label = "delayed",
                     .drop_hopeless = true});
  systems.push_back(
      {.policy = "exit_aware",
       .parameters = {{"exit_knowledge", "oracle"}, {"preemption_depth", 3}, {"decide_at", "layer"}},
       .label = "deep",
       .preemption_cost_s = 0.001});
  systems.push_back({.policy = "lazy_batching", .parameters = {{"slack_factor", 4}}, .label = "eager"});
  return systems;
}

std::vector<sim::ArrivalProcess> all_arrivals() {
  std::vector<sim::Sample> samples;
  samples.reserve(60);
  for (int i = 0; i < 60; ++i) {
    samples.push_back({.date_s = 0.02 * i, .exit = i % 4, .device = static_cast<std::uint32_t>(i % 3)});
  }
  return {sim::poisson(Rate::rho(1.5)),
          sim::gamma_gaps(Rate::rho(1), 3),
          sim::periodic(Rate::rho(1.2), 0.01),
          sim::mmpp({{Rate::rho(0.4), 0.4}, {Rate::rho(4), 0.2}}),
          sim::spike({{Rate::rho(0.4), 0.3}, {Rate::rho(3), 0.3}}),
          sim::closed_loop({.clients = 5, .think_time_s = 0.03}),
          sim::recorded(samples)};
}

std::vector<sim::ScenarioBuilder> with_all_exits(const sim::ScenarioBuilder& base) {
  std::vector<workloads::JudgedSample> judged;
  judged.reserve(16);
  for (int i = 0; i < 16; ++i) {
    const double first = i / 16.0;
    judged.push_back({.confidences = {first, std::fmod(first * 7, 1.0), std::fmod(first * 3, 1.0), 1},
                      .correct = {1, 0, 1, i % 2}});
  }
  const auto confidences = [judged](const workloads::ExitContext& /*context*/) {
    return workloads::make_confidences(judged, {0.6, 0.6, 0.6});
  };
  return {base, sim::ScenarioBuilder(base).exit_rates(kExampleRates),
          sim::ScenarioBuilder(base).correlated_exits(kExampleRates, 0.7),
          sim::ScenarioBuilder(base).exits(confidences)};
}

sim::ScenarioBuilder through_uplink(const sim::ScenarioBuilder& base) {
  workloads::UplinkSpec uplink;
  uplink.model = workloads::UplinkSpec::Model::analytic;
  uplink.access_point_bandwidth_bytes_per_s = 4e6;
  uplink.latency_s = 0.002;
  uplink.answer_latency_s = 0.001;
  return sim::ScenarioBuilder(base).uplink(uplink, {.sample_bytes = 20'000, .bandwidth_bytes_per_s = 3e6});
}

}  // namespace fluidbatch::test
