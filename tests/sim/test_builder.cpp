// Scenarios built in memory: the same as those that are read, and held to the same rules.
#include <functional>
#include <limits>

#include <catch2/catch.hpp>

#include "sim/run/simulation.h"
#include "tests/support/run_helpers.h"
#include "tests/support/scenarios.h"

using namespace fluidbatch;
using Catch::Contains;
using workloads::Rate;

namespace {

/// Two layers, the first one with an early exit, for batches of 1 and 2.
sim::ScenarioBuilder two_layers() {
  return sim::ScenarioBuilder().latencies_s({{4, 6}, {2, 4}}, {0, 1}).system("serial");
}

/// Requests of both, system by system, byte by byte.
void check_same(const sim::Scenario& built, const std::string& yaml) {
  const sim::RunConfig read = test::config_of(yaml);
  INFO(yaml);
  REQUIRE(built.systems.size() == read.systems.size());
  CHECK(built.service().slo.latency_s == read.service().slo.latency_s);
  CHECK(built.service().reference_latency_s == read.service().reference_latency_s);
  CHECK(built.policy_context(built.systems[0], 0, 0).exit_rates ==
        read.policy_context(read.systems[0], 0, 0).exit_rates);
  for (std::size_t i = 0; i < built.systems.size(); ++i) {
    CHECK(built.systems[i].label == read.systems[i].label);
    CHECK(built.systems[i].npu_names() == read.systems[i].npu_names());
    CHECK(test::requests_csv_of(built, sim::Driver::bare, i) ==
          test::requests_csv_of(read, sim::Driver::bare, i));
  }
}

}  // namespace

TEST_CASE("what is built runs as what is read", "[builder]") {
  const std::string head = "seed: 7\nrequests: 500\nnetwork: ee_resnet50\nslo: {unloaded_multiple: 3}\n";
  const std::string tail =
      "  exits: {kind: correlated, rates: [0.3, 0.35, 0.4], correlation: 0.5}\n"
      "systems:\n  - {label: a, policy: {name: exit_aware, max_batch: 4, trigger: exit_event}, npu: "
      "zu7ev_small, "
      "npu_mode: fluid_stacked, drop: hopeless}\n  - {policy: {name: lazy_batching}}\n";
  const sim::ScenarioBuilder base = test::scenario_of("ee_resnet50")
                                        .seed(7)
                                        .requests(500)
                                        .slo_unloaded_multiple(3)
                                        .correlated_exits(test::kExampleRates, 0.5)
                                        .system({.policy = "exit_aware",
                                                 .parameters = {{"max_batch", 4}, {"trigger", "exit_event"}},
                                                 .label = "a",
                                                 .drop_hopeless = true,
                                                 .npu = test::shipped_npu("zu7ev_small"),
                                                 .npu_mode = npu::Mode::fluid_stacked})
                                        .system("lazy_batching");
  const auto check = [&](const sim::ArrivalProcess& process, const std::string& arrivals) {
    check_same(sim::ScenarioBuilder(base).arrivals(process).build(),
               head + "workload:\n  arrivals: " + arrivals + "\n" + tail);
  };
  check(sim::poisson(Rate::rho(1.3)), "{kind: poisson, rho: 1.3}");
  check(sim::poisson(Rate::load(0.9)), "{kind: poisson, load: 0.9}");
  check(sim::periodic(Rate::hz(30), 0.004), "{kind: periodic, rate_hz: 30, jitter_ms: 4}");
  check(sim::gamma_gaps(Rate::rho(1), 2), "{kind: gamma, rho: 1, cv: 2}");
  check(sim::mmpp({{Rate::rho(0.5), 2}, {Rate::rho(3), 0.5}}),
        "{kind: mmpp, states: [{rho: 0.5, mean_duration_s: 2}, {rho: 3, mean_duration_s: 0.5}]}");
  check(sim::spike({{Rate::rho(0.5), 2}, {Rate::hz(90), 1}}, false),
        "{kind: spike, profile: [{rho: 0.5, duration_s: 2}, {rate_hz: 90, duration_s: 1}], repeat: false}");
  check(sim::closed_loop({.clients = 7, .think_time_s = 0.12}),
        "{kind: closed_loop, clients: 7, think_time_ms: 120}");

  const workloads::UplinkSpec uplink{.model = workloads::UplinkSpec::Model::analytic,
                                     .access_point_bandwidth_bytes_per_s = 12e6,
                                     .latency_s = 0.002,
                                     .answer_latency_s = 0.001};
  check_same(
      sim::ScenarioBuilder(base)
          .slo_end_to_end()
          .uplink(uplink, {.sample_bytes = 150528, .bandwidth_bytes_per_s = 5e6})
          .devices({{.arrivals = sim::poisson(Rate::rho(0.2)), .count = 3},
                    {.arrivals = sim::gamma_gaps(Rate::rho(0.4), 2), .sample_bytes = 1000}})
          .build(),
      "seed: 7\nrequests: 500\nnetwork: ee_resnet50\nslo: {unloaded_multiple: 3, measured: end_to_end}\n"
      "workload:\n  uplink: {model: analytic, sample_bytes: 150528, "
      "access_point_bandwidth_bytes_per_s: 12e6, device_bandwidth_bytes_per_s: 5e6, latency_ms: 2, "
      "answer_latency_ms: 1}\n  devices: [{count: 3, arrivals: {kind: poisson, rho: 0.2}}, "
      "{sample_bytes: 1000, arrivals: {kind: gamma, rho: 0.4, cv: 2}}]\n" +
          tail);
}

TEST_CASE("a case sets only what it is about", "[builder]") {
  const sim::Scenario scenario = two_layers().dates_s({0, 1}).build();
  CHECK(scenario.seed == 1);
  CHECK(scenario.known_requests() == 2U);
  CHECK(scenario.service().slo.latency_s == std::numeric_limits<double>::infinity());
  CHECK(scenario.service().reference_latency_s == 6);
  CHECK(scenario.service().network.exit_count() == 2);
  CHECK(scenario.policy_context(scenario.systems[0], 0, 0).exit_rates == std::vector<double>{0});
  const test::RunOutcome outcome = test::run_bare(scenario);
  CHECK(outcome.requests[0].completion_s == 6);
  CHECK(outcome.requests[1].completion_s == 12);
  CHECK(two_layers().poisson(Rate::hz(1)).build().known_requests() == 100'000U);
  CHECK_FALSE(two_layers().poisson(Rate::hz(1)).duration_s(5).build().known_requests());
}

TEST_CASE("the reference need not be what the systems run on", "[builder]") {
  const sim::ScenarioBuilder builder = test::scenario_of("ee_resnet18")
                                           .reference(test::shipped_npu("zu7ev_small"), npu::Mode::fluid)
                                           .reference_max_batch(4)
                                           .exit_rates(test::kExampleRates)
                                           .requests(50)
                                           .system("serial");
  const std::string yaml =
      "requests: 50\nnetwork: ee_resnet18\nreference: {npu: zu7ev_small, npu_mode: fluid, max_batch: 4}\n"
      "slo: {unloaded_multiple: 2}\nworkload: {arrivals: {kind: poisson, load: 0.5}, exits: {kind: rates, "
      "rates: "
      "[0.3, 0.35, 0.4]}}\nsystems: [{policy: {name: serial}, npu: zu7ev_large, npu_mode: r}]\n";
  check_same(sim::ScenarioBuilder(builder).slo_unloaded_multiple(2).poisson(Rate::load(0.5)).build(), yaml);
}

TEST_CASE("a system can bring latencies of its own", "[builder]") {
  const auto twice_as_fast = sim::ScenarioBuilder()
                                 .latencies_s({{2, 3}, {1, 2}}, {0, 1})
                                 .dates_s({0})
                                 .system("serial")
                                 .build()
                                 .systems[0]
                                 .table();
  const sim::Scenario scenario =
      two_layers().dates_s({0}).system({.policy = "serial", .label = "fast", .table = twice_as_fast}).build();
  CHECK(test::run_bare(scenario, 0).requests[0].completion_s == 6);
  CHECK(test::run_bare(scenario, 1).requests[0].completion_s == 3);
}

TEST_CASE("the example of docs/design.md", "[builder]") {
  const sim::Scenario scenario =
      sim::ScenarioBuilder()
          .latencies_s({{4, 6}, {2, 4}}, {0, 1})  // by layer and batch; its segments
          .poisson(Rate::hz(0.1))
          .exit_rates({0.5})
          .slo_s(20)
          .system({.policy = "exit_aware", .parameters = {{"max_batch", 2}}})
          .build();
  const sim::RunStatistics statistics = sim::simulate(scenario, scenario.systems[0]);
  CHECK(statistics[sim::StatisticId::requests] == 100'000);
  CHECK(statistics[sim::StatisticId::mean_latency] > 4);
}

TEST_CASE("exits that are recorded: with the arrivals, or as a list", "[builder]") {
  const sim::Scenario with = two_layers().recorded({{0, 0}, {1, 1}, {2, 0}, {3, 0}}).build();
  CHECK(with.policy_context(with.systems[0], 0, 0).exit_rates == std::vector<double>{0.75});
  CHECK(test::run_bare(with).requests[0].completion_s == 4);
  const sim::Scenario known = two_layers().recorded({{0, 0}, {1, 1}}, {0.1}).build();
  CHECK(known.policy_context(known.systems[0], 0, 0).exit_rates == std::vector<double>{0.1});
  const sim::Scenario listed = two_layers().poisson(Rate::hz(0.1)).exit_list({1, 0, 1}).build();
  CHECK(listed.known_requests() == 3U);
  const auto requests = test::run_bare(listed).requests;
  REQUIRE(requests.size() == 3);
  CHECK(requests[0].exit == 1);
  CHECK(requests[1].exit == 0);
  const sim::Scenario judged =
      two_layers()
          .poisson(Rate::hz(0.1))
          .requests(50)
          .exits([](const workloads::ExitContext&) {
            return workloads::make_confidences({{.confidences = {0.9, 1}, .correct = {1, 0}}}, {0.8});
          })
          .build();
  CHECK(test::run_bare(judged).statistics[sim::StatisticId::accuracy] == 1);
}

TEST_CASE("what does not go together is refused, and why", "[builder]") {
  const auto refuses = [](const sim::ScenarioBuilder& builder, const std::string& message) {
    INFO(message);
    CHECK_THROWS_AS(builder.build(), std::invalid_argument);
    CHECK_THROWS_WITH(builder.build(), Contains(message));
  };
  const auto fed = [] { return two_layers().poisson(Rate::hz(0.1)); };
  refuses(sim::ScenarioBuilder(), "needs a network");
  refuses(sim::ScenarioBuilder().network(test::shipped_network("resnet18")), "needs an NPU");
  refuses(two_layers(), "needs arrivals");
  refuses(sim::ScenarioBuilder().latencies_s({{1}}).dates_s({0}), "needs at least one system");
  refuses(fed().exit_rates({0.5, 0.5}), "one number for each early exit; the network has 1, found 2");
  refuses(fed().exit_rates({1.5}), "an exit rate must be a number, from 0 to 1; found 1.5");
  refuses(fed().exit_list({0, 2}), "an exit must be a number, from 0 to 1; found 2");
  refuses(fed().system({.policy = "sreial"}), "unknown policy 'sreial' (did you mean 'serial'?)");
  refuses(fed().system("serial"), "two systems are labelled 'serial'");
  refuses(fed().system({.policy = "edf", .label = "a b"}), "a label is made of letters");
  refuses(fed().system("dynamic_batching"), "batches up to 8 are needed, and there are those up to 2");
  refuses(fed().system({.policy = "exit_aware", .parameters = {{"max_batches", 2}}}),
          "policy exit_aware has no parameter 'max_batches' (did you mean 'max_batch'?)");
  refuses(fed().system({.policy = "exit_aware", .parameters = {{"max_batch", 0}}}),
          "max_batch must be a number, from 1 to 1024; found 0");
  refuses(fed().system({.policy = "exit_aware", .parameters = {{"max_batch", 1.5}}}),
          "max_batch must be a whole number");
  refuses(fed().system({.policy = "exit_aware", .parameters = {{"trigger", "exit_evnt"}}}),
          "unknown trigger 'exit_evnt' (did you mean 'exit_event'?)");
  refuses(fed().system({.policy = "edf", .npu_mode = npu::Mode::r}),
          "npu_mode does not go with a measured table");
  refuses(fed().slo_end_to_end().system("edf"), "edf takes the queue to be in order of deadlines");
  refuses(fed().slo_s(-1), "the SLO, in seconds, must be a number, at least 0");
  refuses(fed().requests(10).warmup_requests(10), "leaves none of the 10 requests to measure");
  refuses(fed().requests(0), "requests must be a number, from 1");
  refuses(fed().duration_s(-1), "the duration, in seconds, must be a number, above 0");
  refuses(two_layers().poisson(Rate::hz(0)), "the arrival rate must be from 1e-09 to 1e+12 per second");
  refuses(two_layers().poisson(Rate::hz(1e-9)), "latencies would lose their digits");
  refuses(two_layers().dates_s({1, 0}), "a recorded date, in order, must be a number, from 1");
  refuses(two_layers().recorded({{0, 0}, {1, 2}}), "an exit must be a number, from 0 to 1; found 2");
  refuses(two_layers().devices({{.arrivals = sim::recorded({{0}}), .count = 2}}),
          "a trace can't be repeated");
  refuses(two_layers().devices({{.arrivals = sim::poisson(Rate::hz(1)), .count = 1U << 21}}),
          "the count of a group of devices must be a number, from 1 to 1048576");
  refuses(two_layers().devices({{.arrivals = {}, .count = 2}}), "a group of devices needs arrivals");
  refuses(fed().reference_max_batch(0),
          "the reference's max_batch must be a number, from 1 to 1024; found 0");
  refuses(fed().seed(std::numeric_limits<std::uint64_t>::max()), "a seed must be at most");
  refuses(fed().uplink({.model = workloads::UplinkSpec::Model::simgrid}, {}),
          "the access point's bandwidth must be a number, above 0, finite; found inf");
  CHECK_THROWS_WITH(sim::ScenarioBuilder().latencies_s({{1, 2}, {1}}), Contains("for each batch size"));
}
