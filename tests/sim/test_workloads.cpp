// Whole runs of workloads: closed loops, uplinks, end-to-end bounds, round trips through traces.
#include <cmath>
#include <map>

#include <catch2/catch.hpp>

#include "sim/run/simulation.h"
#include "tests/support/run_helpers.h"

using namespace fluidbatch;
using Id = sim::StatisticId;

namespace {

const std::string kSystems = R"(
systems:
  - {label: serial, policy: {name: serial}}
  - {label: dynamic, policy: {name: dynamic_batching, max_batch: 4, max_queue_delay_ms: 15}}
  - {label: lazy, policy: {name: lazy_batching, max_batch: 4}}
  - {label: ours, policy: {name: exit_aware, max_batch: 4}, npu_mode: fluid_stacked}
)";

std::string config_text(const std::string& workload, int requests,
                        const std::string& slo = "{latency_ms: 250}") {
  return "requests: " + std::to_string(requests) + "\nnetwork: ee_resnet50\nslo: " + slo + "\nworkload:\n" +
         workload + kSystems;
}

const std::string kExits = "  exits: {kind: correlated, rates: [0.3, 0.35, 0.4], correlation: 0.5}\n";
const std::string kUplink =
    "sample_bytes: 150528, access_point_bandwidth_bytes_per_s: 12.0e+6, device_bandwidth_bytes_per_s: "
    "5.0e+6, "
    "latency_ms: 2, answer_latency_ms: 1}\n";

/// Every kind of arrivals, at a load of about 1.
const std::map<std::string, std::string> kArrivals{
    {"poisson", "  arrivals: {kind: poisson, rho: 1}\n"},
    {"periodic", "  devices: [{count: 30, arrivals: {kind: periodic, rho: 0.03, jitter_ms: 3}}]\n"},
    {"gamma", "  devices: [{count: 5, arrivals: {kind: gamma, rho: 0.2, cv: 2}}]\n"},
    {"mmpp",
     "  arrivals: {kind: mmpp, states: [{rho: 0.5, mean_duration_s: 2}, {rho: 3, mean_duration_s: 0.5}]}\n"},
    {"spike", "  arrivals: {kind: spike, profile: [{rho: 0.3, duration_s: 3}, {rho: 3, duration_s: 1}]}\n"},
    {"closed_loop", "  arrivals: {kind: closed_loop, clients: 7, think_time_ms: 120}\n"},
};

}  // namespace

TEST_CASE("clients with constant thoughts keep a serial server busy", "[sim]") {
  // N clients, thoughts Z, service D with N D >= Z + D: the server never idles after the first service, every
  // client's cycle takes N D, so that its requests take N D - Z.
  const sim::RunConfig config = test::config_of(R"(
requests: 2000
warmup_requests: 100
network: resnet50
workload: {arrivals: {kind: closed_loop, clients: 5, think_time_ms: 100, think: constant}}
systems: [{policy: {name: serial}}]
)");
  const double service_s = config.systems[0].table->single_sample_latency_s();
  REQUIRE(5 * service_s > 0.1 + service_s);
  const test::RunOutcome outcome = test::run_bare(config);
  for (std::size_t i = 100; i < outcome.requests.size(); ++i) {
    const scheduler::Request& request = outcome.requests[i];
    REQUIRE(request.completion_s - request.arrival_s == Approx(5 * service_s - 0.1).epsilon(1e-9));
    REQUIRE(request.device == i % 5);
  }
  CHECK(outcome.statistics[Id::throughput] == Approx(1 / service_s).epsilon(0.01));
  // Alone, a client is answered in the unloaded latency, once every thought and service.
  const test::RunOutcome alone = test::run_bare(test::config_of(R"(
requests: 50
network: resnet50
workload: {arrivals: {kind: closed_loop, think_time_ms: 100, think: constant}}
systems: [{policy: {name: serial}}]
)"));
  for (std::size_t i = 0; i < alone.requests.size(); ++i) {
    REQUIRE(alone.requests[i].arrival_s ==
            Approx(0.1 + static_cast<double>(i) * (0.1 + service_s)).epsilon(1e-9));
  }
}

TEST_CASE("interactive response-time law: clients = throughput x (latency + thoughts)", "[theory]") {
  const std::string workload = "  arrivals: {kind: closed_loop, clients: 12, think_time_ms: 200}\n" + kExits;
  const sim::RunConfig config = test::config_of(config_text(workload, 40'000));
  for (std::size_t i = 0; i < config.systems.size(); ++i) {
    INFO(config.systems[i].label);
    const sim::RunStatistics s = test::run_bare(config, i).statistics;
    CHECK(s[Id::throughput] * (s[Id::mean_latency] + 0.2) == Approx(12).epsilon(0.02));
    CHECK(std::isnan(s[Id::clairvoyant_bound]));  // arrivals depend on the policy
  }
}

TEST_CASE("closed loops and uplinks: all drivers, the same bytes", "[sim]") {
  const std::string mixed =
      "  devices:\n    - {count: 3, arrivals: {kind: closed_loop, clients: 2, think_time_ms: 50}}\n"
      "    - {count: 4, arrivals: {kind: poisson, rho: 0.1}}\n";
  for (const std::string& uplink : {std::string(), "  uplink: {model: analytic, " + kUplink}) {
    for (const std::string& arrivals : {mixed, kArrivals.at("gamma")}) {
      const sim::RunConfig config = test::config_of(config_text(uplink + arrivals + kExits, 500));
      for (std::size_t i = 0; i < config.systems.size(); ++i) {
        INFO(uplink << arrivals << config.systems[i].label);
        const std::string bare = test::requests_csv_of(config, sim::Driver::bare, i);
        CHECK(bare.size() > 40'000);
        CHECK(bare == test::requests_csv_of(config, sim::Driver::simgrid, i));
        CHECK(bare == test::requests_csv_of(config, sim::Driver::simgrid_window, i));
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
  const std::string groups =
      "  devices:\n    - {count: 12, arrivals: {kind: periodic, rho: 0.03, jitter_ms: 5}}\n"
      "    - {count: 3, sample_bytes: 20000, device_bandwidth_bytes_per_s: 1.0e+6, arrivals: {kind: gamma, "
      "rho: 0.1, cv: 3}}\n"
      "    - {count: 2, sample_bytes: 0, arrivals: {kind: poisson, rho: 0.05}}\n"
      "    - {count: 2, device_bandwidth_bytes_per_s: .inf, arrivals: {kind: closed_loop, clients: 2, "
      "think_time_ms: 90}}\n";
  for (const std::string& arrivals : {groups, kArrivals.at("poisson"), kArrivals.at("mmpp")}) {
    const auto config = [&](const std::string& model) {
      return test::config_of(
          config_text("  uplink: {model: " + model + ", " + kUplink + arrivals + kExits, 1000));
    };
    const sim::RunConfig analytic = config("analytic");
    const sim::RunConfig links = config("simgrid");
    for (std::size_t i = 0; i < analytic.systems.size(); ++i) {
      INFO(arrivals << analytic.systems[i].label);
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
  const std::string uplink =
      "  uplink: {model: analytic, sample_bytes: 1, access_point_bandwidth_bytes_per_s: .inf, latency_ms: "
      "30, "
      "answer_latency_ms: 20}\n  arrivals: {kind: poisson, rho: 1.6}\n" +
      kExits;
  const sim::RunConfig whole =
      test::config_of(config_text(uplink, 3000, "{latency_ms: 250, measured: end_to_end}"));
  const sim::RunConfig part = test::config_of(config_text(uplink, 3000, "{latency_ms: 200}"));
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
  for (const auto& [kind, arrivals] : kArrivals) {
    for (const std::string& uplink : {std::string(), "  uplink: {model: analytic, " + kUplink}) {
      const sim::RunConfig config = test::config_of(config_text(uplink + arrivals + kExits, 400));
      for (std::size_t i = 0; i < config.systems.size(); ++i) {
        INFO(kind << " " << uplink << config.systems[i].label);
        const std::string csv = test::requests_csv_of(config, sim::Driver::bare, i);
        const std::string trace =
            "  arrivals: {kind: trace, path: " + folder.write("r.csv", csv).string() +
            "}\n  exits: {kind: trace, rates: [0.3, 0.35, 0.4]}\n";  // what the policy knew
        // Over the same uplink again, from the dates of sending ...
        const sim::RunConfig again = test::config_of(config_text(uplink + trace, 400));
        CHECK(csv == test::requests_csv_of(again, sim::Driver::bare, i));
        // ... and without it, from those of arrival: all but the way of the answer.
        const sim::RunConfig arrived = test::config_of(config_text(trace, 400));
        const auto a = rows(csv);
        const auto b = rows(test::requests_csv_of(arrived, sim::Driver::bare, i));
        REQUIRE(a.size() == b.size());
        for (const auto& [key, row] : a) REQUIRE(b.at(key).completion_s == row.completion_s);
      }
    }
  }
}

TEST_CASE("switching the policy changes no device's arrivals or exits", "[sim]") {
  const sim::RunConfig config = test::config_of(
      config_text("  uplink: {model: analytic, " + kUplink + kArrivals.at("gamma") + kExits, 500));
  const auto first = rows(test::requests_csv_of(config, sim::Driver::bare, 0));
  for (std::size_t i = 1; i < config.systems.size(); ++i) {
    const auto other = rows(test::requests_csv_of(config, sim::Driver::bare, i));
    REQUIRE(other.size() == first.size());
    for (const auto& [key, row] : first) {
      REQUIRE(other.at(key).arrival_s == row.arrival_s);
      REQUIRE(other.at(key).exit == row.exit);
    }
  }
}

TEST_CASE("accuracy: of the samples drawn, and through a trace", "[sim]") {
  const test::TemporaryFolder folder;
  std::string csv = "sample,label,conf_0,correct_0,conf_1,correct_1,conf_2,correct_2,conf_3,correct_3\n";
  for (int i = 0; i < 10; ++i) csv += std::to_string(i) + ",0,0.9," + (i < 7 ? "1" : "0") + ",1,1,1,1,1,1\n";
  const std::string path = folder.write("c.csv", csv).string();
  const sim::RunConfig config = test::config_of(config_text(
      "  arrivals: {kind: poisson, rho: 1}\n  exits: {kind: confidences, threshold: 0.8, path: " + path +
          "}\n",
      20'000));
  const sim::RunStatistics s = test::run_bare(config, 1).statistics;
  CHECK(s[Id::accuracy] == Approx(0.7).margin(3.3 * std::sqrt(0.21 / 20'000)));
  CHECK(s.exit_shares[0] == 1);
  const std::string requests =
      folder.write("r.csv", test::requests_csv_of(config, sim::Driver::bare, 1)).string();
  const sim::RunConfig replay = test::config_of(
      config_text("  arrivals: {kind: trace, path: " + requests + "}\n  exits: {kind: trace}\n", 20'000));
  CHECK(test::run_bare(replay, 1).statistics[Id::accuracy] == s[Id::accuracy]);
  const sim::RunConfig unknown = test::config_of(config_text("  arrivals: {kind: poisson, rho: 1}\n", 100));
  CHECK(std::isnan(test::run_bare(unknown).statistics[Id::accuracy]));
}
