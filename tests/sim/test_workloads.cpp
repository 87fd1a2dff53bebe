// Whole runs of workloads: closed loops, uplinks, end-to-end bounds, round trips through traces.
#include <cmath>
#include <limits>
#include <map>

#include <catch2/catch.hpp>

#include "sim/run/simulation.h"
#include "tests/support/run_helpers.h"
#include "tests/support/scenarios.h"

using namespace fluidbatch;
using Id = sim::StatisticId;
using workloads::Rate;

namespace {

/// ee_resnet50 with exits that are alike for a while, in four systems.
sim::ScenarioBuilder base(int requests) {
  return test::scenario_of("ee_resnet50")
      .requests(static_cast<std::uint64_t>(requests))
      .slo_s(0.25)
      .correlated_exits(test::kExampleRates, 0.5)
      .system("serial")
      .system({.policy = "dynamic_batching",
               .parameters = {{"max_batch", 4}, {"max_queue_delay_ms", 15}},
               .label = "dynamic"})
      .system({.policy = "lazy_batching", .parameters = {{"max_batch", 4}}, .label = "lazy"})
      .system({.policy = "exit_aware",
               .parameters = {{"max_batch", 4}},
               .label = "ours",
               .npu_mode = npu::Mode::fluid_stacked});
}

using Model = workloads::UplinkSpec::Model;

/// Over links that a burst queues in.
sim::ScenarioBuilder over_links(sim::ScenarioBuilder builder, Model model = Model::analytic) {
  return builder.uplink({.model = model,
                         .access_point_bandwidth_bytes_per_s = 12e6,
                         .latency_s = 0.002,
                         .answer_latency_s = 0.001},
                        {.sample_bytes = 150528, .bandwidth_bytes_per_s = 5e6});
}

using Groups = std::vector<sim::GroupSpec>;

/// Every kind of arrivals, at a load of about 1.
const std::map<std::string, Groups> kArrivals{
    {"poisson", {{.arrivals = sim::poisson(Rate::rho(1))}}},
    {"periodic", {{.arrivals = sim::periodic(Rate::rho(0.03), 0.003), .count = 30}}},
    {"gamma", {{.arrivals = sim::gamma_gaps(Rate::rho(0.2), 2), .count = 5}}},
    {"mmpp", {{.arrivals = sim::mmpp({{Rate::rho(0.5), 2}, {Rate::rho(3), 0.5}})}}},
    {"spike", {{.arrivals = sim::spike({{Rate::rho(0.3), 3}, {Rate::rho(3), 1}})}}},
    {"closed_loop", {{.arrivals = sim::closed_loop({.clients = 7, .think_time_s = 0.12})}}},
};

}  // namespace

TEST_CASE("clients with constant thoughts keep a serial server busy", "[sim]") {
  // N clients, thoughts Z, service D with N D >= Z + D: the server never idles after the first service, every
  // client's cycle takes N D, so that its requests take N D - Z.
  const sim::ScenarioBuilder serial = test::scenario_of("resnet50").system("serial");
  const sim::Scenario scenario =
      sim::ScenarioBuilder(serial)
          .requests(2000)
          .warmup_requests(100)
          .arrivals(sim::closed_loop({.clients = 5, .think_time_s = 0.1, .exponential = false}))
          .build();
  const double service_s = scenario.systems[0].table()->single_sample_latency_s();
  REQUIRE(5 * service_s > 0.1 + service_s);
  const test::RunOutcome outcome = test::run_bare(scenario);
  for (std::size_t i = 100; i < outcome.requests.size(); ++i) {
    const scheduler::Request& request = outcome.requests[i];
    REQUIRE(request.completion_s - request.arrival_s == Approx(5 * service_s - 0.1).epsilon(1e-9));
    REQUIRE(request.device == i % 5);
  }
  CHECK(outcome.statistics[Id::throughput] == Approx(1 / service_s).epsilon(0.01));
  // Alone, a client is answered in the unloaded latency, once every thought and service.
  const test::RunOutcome alone =
      test::run_bare(sim::ScenarioBuilder(serial)
                         .requests(50)
                         .arrivals(sim::closed_loop({.think_time_s = 0.1, .exponential = false}))
                         .build());
  for (std::size_t i = 0; i < alone.requests.size(); ++i) {
    REQUIRE(alone.requests[i].arrival_s ==
            Approx(0.1 + static_cast<double>(i) * (0.1 + service_s)).epsilon(1e-9));
  }
}

TEST_CASE("interactive response-time law: clients = throughput x (latency + thoughts)", "[theory]") {
  const sim::Scenario scenario =
      base(40'000).arrivals(sim::closed_loop({.clients = 12, .think_time_s = 0.2})).build();
  for (std::size_t i = 0; i < scenario.systems.size(); ++i) {
    INFO(scenario.systems[i].label);
    const sim::RunStatistics s = test::run_bare(scenario, i).statistics;
    CHECK(s[Id::throughput] * (s[Id::mean_latency] + 0.2) == Approx(12).epsilon(0.02));
    CHECK(std::isnan(s[Id::clairvoyant_bound]));  // arrivals depend on the policy
  }
}

TEST_CASE("closed loops and uplinks: all drivers, the same bytes", "[sim]") {
  const Groups mixed{{.arrivals = sim::closed_loop({.clients = 2, .think_time_s = 0.05}), .count = 3},
                     {.arrivals = sim::poisson(Rate::rho(0.1)), .count = 4}};
  for (const bool uplink : {false, true}) {
    for (const Groups& groups : {mixed, kArrivals.at("gamma")}) {
      const sim::ScenarioBuilder builder = uplink ? over_links(base(500)) : base(500);
      const sim::Scenario scenario = sim::ScenarioBuilder(builder).devices(groups).build();
      for (std::size_t i = 0; i < scenario.systems.size(); ++i) {
        INFO("uplink " << uplink << ", groups " << groups.size() << ": " << scenario.systems[i].label);
        const std::string bare = test::requests_csv_of(scenario, sim::Driver::bare, i);
        CHECK(bare.size() > 40'000);
        CHECK(bare == test::requests_csv_of(scenario, sim::Driver::simgrid, i));
        CHECK(bare == test::requests_csv_of(scenario, sim::Driver::simgrid_window, i));
      }
    }
  }
}

namespace {

struct Row {
  double arrival_s;
  double completion_s;
  int exit;
};

/// Rows of requests.csv by device and by how many the device has sent before: its samples stay in order.
std::map<std::pair<long, int>, Row> rows(const std::string& csv) {
  std::map<std::pair<long, int>, Row> result;
  std::map<long, int> sent;
  std::size_t begin = csv.find('\n') + 1;
  while (begin < csv.size()) {
    const std::size_t end = csv.find('\n', begin);
    std::vector<std::string> cells{""};
    for (const char c : csv.substr(begin, end - begin)) {
      if (c == ',') {
        cells.emplace_back();
      } else {
        cells.back() += c;
      }
    }
    // request,device,sent_s,arrival_s,start_s,completion_s,exit,..
    const long device = std::stol(cells[1]);
    result[{device, sent[device]++}] = {std::stod(cells[3]), std::stod(cells[5]), std::stoi(cells[6])};
    begin = end + 1;
  }
  return result;
}

}  // namespace

TEST_CASE("the analytic uplink agrees with SimGrid's links to 1e-9 s", "[uplink]") {
  const Groups mixed{{.arrivals = sim::periodic(Rate::rho(0.03), 0.005), .count = 12},
                     {.arrivals = sim::gamma_gaps(Rate::rho(0.1), 3),
                      .count = 3,
                      .sample_bytes = 20000,
                      .device_bandwidth_bytes_per_s = 1e6},
                     {.arrivals = sim::poisson(Rate::rho(0.05)), .count = 2, .sample_bytes = 0},
                     {.arrivals = sim::closed_loop({.clients = 2, .think_time_s = 0.09}),
                      .count = 2,
                      .device_bandwidth_bytes_per_s = std::numeric_limits<double>::infinity()}};
  for (const Groups& groups : {mixed, kArrivals.at("poisson"), kArrivals.at("mmpp")}) {
    const sim::Scenario analytic = over_links(base(1000)).devices(groups).build();
    const sim::Scenario links = over_links(base(1000), Model::simgrid).devices(groups).build();
    for (std::size_t i = 0; i < analytic.systems.size(); ++i) {
      INFO("groups " << groups.size() << ": " << analytic.systems[i].label);
      const auto ours = rows(test::requests_csv_of(analytic, sim::Driver::bare, i));
      const auto theirs = rows(test::requests_csv_of(links, sim::Driver::simgrid, i));
      REQUIRE(ours.size() == 1000);
      REQUIRE(theirs.size() == 1000);
      double worst_s = 0;
      for (const auto& [key, row] : ours) {
        const auto found = theirs.find(key);
        REQUIRE(found != theirs.end());
        REQUIRE(found->second.exit == row.exit);
        worst_s = std::max({worst_s, std::abs(found->second.arrival_s - row.arrival_s),
                            std::abs(found->second.completion_s - row.completion_s)});
      }
      CHECK(worst_s < 1e-9);
    }
  }
}

TEST_CASE("an end-to-end bound is a bound at the server, less the time in the air", "[sim]") {
  // Where the uplink only delays, by 30 ms, and the answer takes 20 ms, 250 ms end to end are 200 at the
  // server.
  const auto delayed = [](sim::ScenarioBuilder builder) {
    return builder.poisson(Rate::rho(1.6))
        .uplink({.model = Model::analytic, .latency_s = 0.03, .answer_latency_s = 0.02}, {.sample_bytes = 1})
        .build();
  };
  const sim::Scenario whole = delayed(base(3000).slo_s(0.25).slo_end_to_end());
  const sim::Scenario part = delayed(base(3000).slo_s(0.2));
  for (std::size_t i = 0; i < whole.systems.size(); ++i) {
    INFO(whole.systems[i].label);
    CHECK(test::requests_csv_of(whole, sim::Driver::bare, i) ==
          test::requests_csv_of(part, sim::Driver::bare, i));
    const sim::RunStatistics a = test::run_bare(whole, i).statistics;
    const sim::RunStatistics b = test::run_bare(part, i).statistics;
    CHECK(a[Id::slo_violation_rate] == b[Id::slo_violation_rate]);
    CHECK(a.absence(Id::slo_violation_rate_ci95) == b.absence(Id::slo_violation_rate_ci95));
    if (i == 0) CHECK(a[Id::slo_violation_rate] > 0.01);
    CHECK(a[Id::mean_end_to_end] == Approx(a[Id::mean_latency] + 0.05));
    CHECK(a[Id::p99_end_to_end] == Approx(a[Id::p99_latency] + 0.05));
    CHECK(a[Id::mean_uplink] == Approx(0.03));
  }
  CHECK_THROWS_WITH(
      test::config_of("network: resnet50\nslo: {latency_ms: 5, measured: end_to_end}\nworkload: {arrivals: "
                      "{kind: poisson, rho: 1}}\nsystems: [{policy: {name: edf}}]\n"),
      Catch::Contains("edf takes the queue to be in order of deadlines"));
}

TEST_CASE("round trip: requests.csv as a trace gives the same run, for every kind of arrivals", "[sim]") {
  const test::TemporaryFolder folder;
  // The replay is read, since it is the reader that is to get every digit.
  const std::string systems =
      "systems:\n  - {label: serial, policy: {name: serial}}\n"
      "  - {label: dynamic, policy: {name: dynamic_batching, max_batch: 4, max_queue_delay_ms: 15}}\n"
      "  - {label: lazy, policy: {name: lazy_batching, max_batch: 4}}\n"
      "  - {label: ours, policy: {name: exit_aware, max_batch: 4}, npu_mode: fluid_stacked}\n";
  const std::string links =
      "  uplink: {model: analytic, sample_bytes: 150528, access_point_bandwidth_bytes_per_s: 12.0e+6, "
      "device_bandwidth_bytes_per_s: 5.0e+6, latency_ms: 2, answer_latency_ms: 1}\n";
  const auto replay = [&](const std::string& workload) {
    return test::config_of("requests: 400\nnetwork: ee_resnet50\nslo: {latency_ms: 250}\nworkload:\n" +
                           workload + systems);
  };
  for (const auto& [kind, groups] : kArrivals) {
    for (const bool uplink : {false, true}) {
      const sim::ScenarioBuilder builder = uplink ? over_links(base(400)) : base(400);
      const sim::Scenario scenario = sim::ScenarioBuilder(builder).devices(groups).build();
      for (std::size_t i = 0; i < scenario.systems.size(); ++i) {
        INFO(kind << ", uplink " << uplink << ": " << scenario.systems[i].label);
        const std::string csv = test::requests_csv_of(scenario, sim::Driver::bare, i);
        const std::string trace =
            "  arrivals: {kind: trace, path: " + folder.write("r.csv", csv).string() +
            "}\n  exits: {kind: trace, rates: [0.3, 0.35, 0.4]}\n";  // what the policy knew
        // Over the same uplink again, from the dates of sending ...
        const sim::RunConfig again = replay((uplink ? links : "") + trace);
        CHECK(csv == test::requests_csv_of(again, sim::Driver::bare, i));
        // ... and without it, from those of arrival: all but the way of the answer.
        const sim::RunConfig arrived = replay(trace);
        const auto a = rows(csv);
        const auto b = rows(test::requests_csv_of(arrived, sim::Driver::bare, i));
        REQUIRE(a.size() == b.size());
        for (const auto& [key, row] : a) REQUIRE(b.at(key).completion_s == row.completion_s);
      }
    }
  }
}

TEST_CASE("switching the policy changes no device's arrivals or exits", "[sim]") {
  const sim::Scenario scenario = over_links(base(500)).devices(kArrivals.at("gamma")).build();
  const auto first = rows(test::requests_csv_of(scenario, sim::Driver::bare, 0));
  for (std::size_t i = 1; i < scenario.systems.size(); ++i) {
    const auto other = rows(test::requests_csv_of(scenario, sim::Driver::bare, i));
    REQUIRE(other.size() == first.size());
    for (const auto& [key, row] : first) {
      REQUIRE(other.at(key).arrival_s == row.arrival_s);
      REQUIRE(other.at(key).exit == row.exit);
    }
  }
}

TEST_CASE("accuracy: of the samples drawn, and through a trace", "[sim]") {
  std::vector<workloads::JudgedSample> samples;
  samples.reserve(10);
  for (int i = 0; i < 10; ++i) {
    samples.push_back({.confidences = {0.9, 1, 1, 1}, .correct = {i < 7 ? 1 : 0, 1, 1, 1}});
  }
  const sim::Scenario scenario = base(20'000)
                                     .poisson(Rate::rho(1))
                                     .exits([&](const workloads::ExitContext&) {
                                       return workloads::make_confidences(samples, {0.8, 0.8, 0.8});
                                     })
                                     .build();
  const sim::RunStatistics s = test::run_bare(scenario, 1).statistics;
  CHECK(s[Id::accuracy] == Approx(0.7).margin(3.3 * std::sqrt(0.21 / 20'000)));
  CHECK(s.exit_shares[0] == 1);
  // Its rows, read again, say as much.
  const test::TemporaryFolder folder;
  const std::string path =
      folder.write("r.csv", test::requests_csv_of(scenario, sim::Driver::bare, 1)).string();
  const sim::RunConfig replay = test::config_of(
      "requests: 20000\nnetwork: ee_resnet50\nworkload: {arrivals: {kind: trace, path: " + path +
      "}, exits: {kind: trace}}\nsystems: [{policy: {name: dynamic_batching, max_batch: 4, "
      "max_queue_delay_ms: 15}}]\n");
  CHECK(test::run_bare(replay).statistics[Id::accuracy] == s[Id::accuracy]);
  const sim::Scenario unknown = base(100).poisson(Rate::rho(1)).build();
  CHECK(std::isnan(test::run_bare(unknown).statistics[Id::accuracy]));
}
