// Sites built in memory: services, NPUs, what orders the ones and chooses among the others.
#include <limits>

#include <catch2/catch.hpp>

#include "tests/support/scenarios.h"

using namespace fluidbatch;
using Catch::Contains;
using workloads::Rate;

namespace {

/// Two services of one and two segments on latencies of their own, a device each.
sim::ScenarioBuilder two_services() {
  return sim::ScenarioBuilder()
      .service({.name = "faces",
                .latencies_s = {{4, 6}, {2, 4}},
                .segments = {0, 1},
                .slo_s = 20,
                .exits = sim::exit_rates({0.5})})
      .service({.name = "plates",
                .latencies_s = {{3, 5}},
                .slo_unloaded_multiple = 4,
                .priority = 2,
                .weight = 0.5})
      .devices({{.arrivals = sim::poisson(Rate::rho(0.3)), .service = 0},
                {.arrivals = sim::poisson(Rate::rho(0.3)), .count = 2, .service = 1}});
}

}  // namespace

TEST_CASE("services have what they are given, and rates of their own reference", "[site]") {
  const sim::Scenario scenario = two_services().system("serial").build();
  REQUIRE(scenario.services.size() == 2);
  const sim::Service& faces = scenario.services[0];
  const sim::Service& plates = scenario.services[1];
  CHECK(faces.name == "faces");
  CHECK(faces.network.exit_count() == 2);
  CHECK(faces.reference_latency_s == 6);
  CHECK(faces.slo.latency_s == 20);
  CHECK(faces.priority == 0);
  CHECK(faces.weight == 1);
  CHECK(faces.exits->rates() == std::vector<double>{0.5});
  CHECK(plates.reference_latency_s == 3);
  CHECK(plates.slo.latency_s == 12);
  CHECK(plates.priority == 2);
  CHECK(plates.weight == 0.5);
  CHECK(plates.exits->rates().empty());
  CHECK(scenario.devices.mean_rate_hz(0) == Approx(0.3 / 6));
  CHECK(scenario.devices.mean_rate_hz(1) == Approx(2 * 0.3 / 3));

  const sim::System& system = scenario.systems[0];
  REQUIRE(system.npus.size() == 1);
  CHECK(system.npus[0].tables[0]->single_sample_latency_s() == 6);
  CHECK(system.npus[0].tables[1]->single_sample_latency_s() == 3);
  REQUIRE(system.arbiter.info != nullptr);
  CHECK(system.arbiter.info->name == "oldest_first");
  CHECK_FALSE(system.arbiter.preemptive);
  CHECK(system.router.info == nullptr);
  CHECK(system.exit_controls.size() == 2);
}

TEST_CASE("a load is relative to what the reference carries of its own service", "[site]") {
  const sim::Scenario scenario = two_services()
                                     .reference_max_batch(2)
                                     .devices({{.arrivals = sim::poisson(Rate::load(0.5)), .service = 1},
                                               {.arrivals = sim::poisson(Rate::load(0.5)), .service = 0}})
                                     .system("serial")
                                     .build();
  // A pair of plates takes 5 s. Of two faces, one goes on: (6 + 2) / 2 s each, one alone 4 + 2 x 0.5 = 5 s.
  CHECK(scenario.devices.mean_rate_hz(1) == Approx(0.5 / 2.5));
  CHECK(scenario.devices.mean_rate_hz(0) == Approx(0.5 / 4));
}

TEST_CASE("what a service leaves out is what the builder says", "[site]") {
  const sim::Scenario scenario = sim::ScenarioBuilder()
                                     .latencies_s({{1, 2}})
                                     .slo_s(7)
                                     .slo_end_to_end()
                                     .service({.name = "a"})
                                     .service({.name = "b", .slo_s = 3, .slo_end_to_end = false})
                                     .devices({{.arrivals = sim::poisson(Rate::hz(0.1))},
                                               {.arrivals = sim::poisson(Rate::hz(0.2)), .service = 1}})
                                     .system({.policy = "serial",
                                              .npus = {{.count = 2}},
                                              .arbiter = "priority",
                                              .preemptive = true,
                                              .router = "least_work"})
                                     .build();
  CHECK(scenario.services[0].slo.latency_s == 7);
  CHECK(scenario.services[0].slo.end_to_end);
  CHECK(scenario.services[1].slo.latency_s == 3);
  CHECK_FALSE(scenario.services[1].slo.end_to_end);
  const sim::System& system = scenario.systems[0];
  REQUIRE(system.npus.size() == 2);
  CHECK(system.npus[0].tables == system.npus[1].tables);
  CHECK(system.npus[0].tables[0] == system.npus[0].tables[1]);
  CHECK(system.arbiter.preemptive);
  CHECK(system.router.info->name == "least_work");
  CHECK(scenario.policy_context(system, 1, 1).rate_hz == Approx(0.1));
}

TEST_CASE("NPUs are named, counted and modelled, or bring latencies by service", "[site]") {
  const sim::Scenario modelled = test::scenario_of("ee_resnet18")
                                     .exit_rates(test::kExampleRates)
                                     .poisson(Rate::hz(10))
                                     .system({.policy = "serial",
                                              .npus = {{.count = 2, .npu = test::shipped_npu("zu7ev_small")},
                                                       {.npu_mode = npu::Mode::fluid}}})
                                     .build();
  CHECK(modelled.systems[0].npu_names() == "2 x zu7ev_small + zu7ev_large");
  CHECK(modelled.systems[0].npu_mode_names() == "2 x r + fluid");
  CHECK(modelled.systems[0].arbiter.info == nullptr);
  CHECK(modelled.systems[0].router.info->name == "round_robin");

  const auto slow_faces = sim::latency_table({{8, 9}, {7, 8}}, {0, 1});
  const auto slow_plates = sim::latency_table({{6, 9}});
  const sim::Scenario measured =
      two_services()
          .system({.policy = "serial", .npus = {{}, {.tables = {slow_faces, slow_plates}}}})
          .build();
  CHECK(measured.systems[0].npus[0].tables[1]->single_sample_latency_s() == 3);
  CHECK(measured.systems[0].npus[1].tables[0] == slow_faces);
  CHECK(measured.systems[0].npus[1].tables[1] == slow_plates);
}

TEST_CASE("a service's exit control counts in every system, a system's for the others", "[site]") {
  const sim::ExitModel judged = sim::confidences(
      {{.confidences = {0.4, 0.9}, .correct = {0, 1}}, {.confidences = {0.8, 0.9}, .correct = {1, 1}}},
      {0.6});
  const auto builder = [&](const char* of_first) {
    return sim::ScenarioBuilder()
        .latencies_s({{4, 6}, {2, 4}}, {0, 1})
        .exits(judged)
        .service({.name = "a", .exit_control = of_first})
        .service({.name = "b"})
        .devices({{.arrivals = sim::poisson(Rate::hz(0.1))},
                  {.arrivals = sim::poisson(Rate::hz(0.2)), .service = 1}})
        .system("serial")
        .system({.policy = "serial", .label = "controlled", .exit_control = "adaptive"});
  };
  const sim::Scenario fixed = builder("fixed").build();
  CHECK_FALSE(fixed.systems[0].decides_exits());
  CHECK_FALSE(fixed.systems[1].exit_controls[0].decides());
  CHECK(fixed.systems[1].exit_controls[1].info->name == "adaptive");
  const sim::Scenario own = builder("adaptive").build();
  CHECK(own.systems[0].exit_controls[0].info->name == "adaptive");
  CHECK_FALSE(own.systems[0].exit_controls[1].decides());
  CHECK(own.systems[1].exit_controls[1].decides());
}

TEST_CASE("sites that do not go together are refused", "[site]") {
  const auto message = [](const sim::ScenarioBuilder& builder) {
    try {
      (void)builder.build();
    } catch (const std::invalid_argument& error) {
      return std::string(error.what());
    }
    return std::string("nothing is wrong");
  };
  const auto with = [&](sim::SystemSpec system) { return message(two_services().system(std::move(system))); };
  CHECK(with({.policy = "serial"}) == "nothing is wrong");
  CHECK_THAT(message(two_services().service({.name = "faces", .latencies_s = {{1}}}).system("serial")),
             Contains("two services are called 'faces'"));
  CHECK_THAT(message(two_services().service({.name = "", .latencies_s = {{1}}}).system("serial")),
             Contains("a name of a service"));
  CHECK_THAT(message(two_services().service({.name = "c", .latencies_s = {{1}}}).system("serial")),
             Contains("no group of devices sends for service 'c'"));
  CHECK_THAT(
      message(
          two_services().devices({{.arrivals = sim::poisson(Rate::hz(1)), .service = 2}}).system("serial")),
      Contains("service that is not there"));
  CHECK_THAT(with({.policy = "optimal", .parameters = {{"max_batch", 2}}}),
             Contains("one service on one NPU"));
  CHECK_THAT(with({.policy = "serial", .arbiter = "eldest_first"}), Contains("did you mean 'oldest_first'"));
  CHECK_THAT(with({.policy = "serial", .arbiter = "fair_share", .preemptive = true}),
             Contains("'earliest_deadline'"));
  CHECK_THAT(with({.policy = "serial", .router = "x"}), Contains("unknown router 'x'"));
  CHECK_THAT(with({.policy = "serial", .npus = {{.count = 1000}, {.count = 25}}}),
             Contains("more than 1024"));
  CHECK_THAT(with({.policy = "serial", .npus = {{.count = 0}}}), Contains("count of an NPU"));
  CHECK_THAT(with({.policy = "serial", .npus = {{.tables = {sim::latency_table({{1}})}}}}),
             Contains("for each service"));
  CHECK_THAT(with({.policy = "serial", .table = sim::latency_table({{1}}), .npus = {{}}}),
             Contains("or a list"));
  CHECK_THAT(with({.policy = "dynamic_batching", .parameters = {{"max_batch", 3}}}),
             Contains("up to 3 are needed"));
  CHECK_THAT(with({.policy = "serial", .exit_control = "adaptive"}), Contains("exits of service 'faces'"));
  const auto listed = [&](std::uint64_t dates) {
    return message(two_services()
                       .service({.name = "c", .latencies_s = {{1}}, .exits = sim::exit_list({0, 0, 0})})
                       .devices({{.arrivals = sim::poisson(Rate::hz(0.1))},
                                 {.arrivals = sim::poisson(Rate::hz(0.1)), .service = 1},
                                 {.arrivals = sim::recorded(std::vector<sim::Sample>(dates)), .service = 2}})
                       .system("serial"));
  };
  CHECK(listed(3) == "nothing is wrong");
  CHECK_THAT(listed(4), Contains("it has 3 for 4 requests"));
}
