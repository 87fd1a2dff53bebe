// Load: the rate relative to what the reference can carry.
#include <algorithm>
#include <cmath>

#include <catch2/catch.hpp>

#include "sim/config/overrides.h"
#include "sim/run/workload_description.h"
#include "tests/support/examples.h"
#include "tests/support/random_npus.h"
#include "tests/support/run_helpers.h"
#include "workloads/exits/exits.h"

using namespace fluidbatch;

namespace {

sim::WorkloadDescription describe(const sim::RunConfig& config) {
  return sim::describe_workload(config, config.references,
                                [&](std::size_t i) { return config.least_npu_time(i); });
}

}  // namespace
using Catch::Contains;

namespace {

/// A table of the latencies in `seconds`, layers x batches; `segments` has the segment of each layer.
npu::BatchPolicyTable table_of(const std::vector<int>& segments, const Eigen::ArrayXXd& seconds) {
  std::vector<npu::Layer> layers;
  layers.reserve(segments.size());
  for (std::size_t i = 0; i < segments.size(); ++i) {
    layers.push_back(
        test::gemm_layer("l" + std::to_string(i), {.groups = 1, .r = 1, .p = 1, .c = 1}, segments[i]));
  }
  return {std::move(layers), seconds};
}

/// Time of a request in batches of each size, by another way: layer by layer, each with the share of the
/// samples that have not left before it, as a mean of the two whole batch sizes around. Batch 0 takes no
/// time.
std::vector<double> times_of_requests_s(const std::vector<int>& segments, const Eigen::ArrayXXd& seconds,
                                        const std::vector<double>& exit_rates) {
  const std::vector<double> left = workloads::left_by(exit_rates);
  std::vector<double> times_s;
  for (Eigen::Index batch = 1; batch <= seconds.cols(); ++batch) {
    double sum_s = 0;
    for (Eigen::Index layer = 0; layer < seconds.rows(); ++layer) {
      const int segment = segments[static_cast<std::size_t>(layer)];
      const double stays = segment == 0 ? 1 : 1 - left[static_cast<std::size_t>(segment) - 1];
      const double samples = static_cast<double>(batch) * stays;
      for (Eigen::Index whole = 1; whole <= batch; ++whole) {
        const double weight = 1 - std::abs(samples - static_cast<double>(whole));
        if (weight > 0) sum_s += weight * seconds(layer, whole - 1);
      }
    }
    times_s.push_back(sum_s / static_cast<double>(batch));
  }
  return times_s;
}

const char* const kConfig = R"(
requests: 300
network: ee_resnet50
workload:
  arrivals: {kind: poisson, load: 0.7}
  exits: {kind: rates, rates: [0.3, 0.35, 0.4]}
systems:
  - {label: dynamic, policy: {name: dynamic_batching, max_batch: 8}}
)";

sim::RunConfig with(const std::vector<std::string>& overrides) {
  io::Node document = io::parse_yaml(kConfig, "config.yaml");
  for (const std::string& assignment : overrides) sim::apply_override(document, assignment);
  return sim::read_run_config(document);
}

}  // namespace

TEST_CASE("the least NPU time of a request, by hand", "[load]") {
  // Segment 0 is the layers a and b: 4, 5, 12, 13 s. Segment 1 is c: 10, 12, 20, 18 s.
  Eigen::ArrayXXd seconds(3, 4);
  seconds << 1, 2, 5, 5,  //
      3, 3, 7, 8,         //
      10, 12, 20, 18;
  const npu::BatchPolicyTable table = table_of({0, 0, 1}, seconds);
  SECTION("60 % leave") {
    // Samples that go on: 0.4, 0.8, 1.2, 1.6; c takes 4, 8, 10 + 0.2 x 2 = 10.4, 10 + 0.6 x 2 = 11.2.
    // T = 8, 13, 22.4, 24.2; T / b = 8, 6.5, 7.4667, 6.05: batch 3 is worse than batch 2.
    const sim::LeastNpuTime least = sim::least_npu_time(table, {0.6});
    CHECK(least.request_s == Approx(6.05).epsilon(1e-14));
    CHECK(least.batch == 4);
    const npu::BatchPolicyTable up_to_3 = table_of({0, 0, 1}, seconds.leftCols(3));
    CHECK(sim::least_npu_time(up_to_3, {0.6}).request_s == Approx(6.5).epsilon(1e-14));
    CHECK(sim::least_npu_time(up_to_3, {0.6}).batch == 2);
  }
  SECTION("nobody leaves: 14, 17 / 2, 32 / 3, 31 / 4") {
    CHECK(sim::least_npu_time(table, {0}).request_s == 7.75);
    CHECK(sim::least_npu_time(table, {0}).batch == 4);
  }
  SECTION("all leave: 4, 5 / 2, 12 / 3, 13 / 4") {
    CHECK(sim::least_npu_time(table, {1}).request_s == 2.5);
    CHECK(sim::least_npu_time(table, {1}).batch == 2);
  }
  SECTION("of batch sizes that are equally good, the smallest") {
    Eigen::ArrayXXd proportional(1, 3);
    proportional << 2, 4, 6;
    CHECK(sim::least_npu_time(table_of({0}, proportional), {}).request_s == 2);
    CHECK(sim::least_npu_time(table_of({0}, proportional), {}).batch == 1);
  }
}

TEST_CASE("the least NPU time of a request, by brute force", "[load]") {
  test::RandomCases random(5);
  const auto unit = [&] { return static_cast<double>(random.pick(0, 1000)) / 1000; };
  int inner_sizes = 0;
  for (int round = 0; round < 500; ++round) {
    const auto batches = random.pick(1, 9);
    std::vector<int> segments{0};
    for (auto layers = random.pick(0, 7); layers > 0; --layers) {
      segments.push_back(segments.back() + (random.one_in(2) ? 1 : 0));
    }
    Eigen::ArrayXXd seconds(static_cast<Eigen::Index>(segments.size()), batches);
    for (double& cell : seconds.reshaped()) cell = 0.1 + unit();
    for (Eigen::Index b = 0; b < batches; ++b) seconds.col(b) *= 1 + static_cast<double>(b) * unit();
    std::vector<double> rates;
    rates.reserve(segments.size());
    for (int exit = 0; exit < segments.back(); ++exit) rates.push_back(random.one_in(9) ? 1 : unit());

    const std::vector<double> times_s = times_of_requests_s(segments, seconds, rates);
    const auto best = std::min_element(times_s.begin(), times_s.end());
    const sim::LeastNpuTime least = sim::least_npu_time(table_of(segments, seconds), rates);
    INFO("round " << round);
    REQUIRE(least.request_s == Approx(*best).epsilon(1e-12));
    REQUIRE(least.batch == best - times_s.begin() + 1);
    if (least.batch > 1 && least.batch < batches) ++inner_sizes;
  }
  CHECK(inner_sizes > 100);  // or the latencies were too tame
}

TEST_CASE("at load 1 an NPU that always has full batches just keeps up", "[load]") {
  // Far above it, batches of the best size start one after another, and carry what load 1 says: exactly
  // without exits; with them but for the bend of latencies between whole batch sizes, which is small here.
  const auto [exits, tolerance] = GENERATE(table<const char*, double>(
      {{"workload.exits={kind: none}", 0.001}, {"workload.exits.rates=[0.3, 0.35, 0.4]", 0.02}}));
  const sim::RunConfig config = with({exits, "workload.arrivals.load=5", "requests=20000", "slo={}"});
  const double capacity_hz = 1 / config.least_npu_time().request_s;
  REQUIRE(config.least_npu_time().batch == 8);
  const sim::RunStatistics statistics = test::run_bare(config).statistics;
  CHECK(statistics[sim::StatisticId::throughput] == Approx(capacity_hz).epsilon(tolerance));
}

TEST_CASE("a load is a rate, for all kinds of arrivals and exits", "[load]") {
  const auto load_of = [](const sim::RunConfig& config) {
    return config.devices.mean_rate_hz() * config.least_npu_time().request_s;
  };
  CHECK(load_of(with({})) == Approx(0.7));
  for (const char* arrivals :
       {"{kind: periodic, load: 0.7}", "{kind: gamma, load: 0.7, cv: 2}",
        "{kind: mmpp, states: [{load: 1, mean_duration_s: 1}, {load: 0.4, mean_duration_s: 1}]}",
        "{kind: spike, profile: [{load: 2.8, duration_s: 1}, {load: 0, duration_s: 3}]}"}) {
    INFO(arrivals);
    CHECK(load_of(with({std::string("workload.arrivals=") + arrivals})) == Approx(0.7));
  }
  CHECK(
      load_of(test::config_of("network: resnet18\nworkload: {devices: [{count: 3, arrivals: {kind: poisson, "
                              "load: 0.1}}, {arrivals: {kind: periodic, load: 0.4}}]}\n"
                              "systems: [{policy: {name: serial}}]\n")) == Approx(0.7));

  const test::TemporaryFolder folder;
  std::string csv = "conf_0,correct_0,conf_1,correct_1,conf_2,correct_2,conf_3,correct_3\n";
  for (const char* confidence : {"0.9", "0.1", "0.1", "0.7"})
    csv += std::string(confidence) + ",1,0.8,1,1,1,1,1\n";
  const std::string confidences = folder.write("c.csv", csv).string();
  const std::string trace = folder.write("t.csv", "exit\n0\n1\n3\n3\n").string();
  for (const std::string& exits :
       {std::string("{kind: none}"),
        std::string("{kind: correlated, rates: [0.1, 0.2, 0.9], correlation: 0.5}"),
        "{kind: confidences, threshold: 0.6, path: " + confidences + "}",
        "{kind: trace, path: " + trace + "}", "{kind: trace, rates: [0.5, 0.5, 0.5], path: " + trace + "}"}) {
    INFO(exits);
    const sim::RunConfig config = with({"workload.exits=" + exits});
    CHECK(load_of(config) == Approx(0.7));
    // By what policies know, and the table of a system like the reference.
    const auto least = sim::least_npu_time(*config.systems[0].table(),
                                           config.policy_context(config.systems[0], 0, 0).exit_rates);
    CHECK(config.least_npu_time().request_s == least.request_s);
  }
}

TEST_CASE("the reference's largest batch", "[load]") {
  SECTION("is 8, and resolved where a load asks for it") {
    const sim::RunConfig config = with({});
    CHECK(config.references[0]->max_batch() == 1);
    const std::string resolved = io::to_yaml(config.resolved);
    CHECK_THAT(resolved, Contains("  npu_mode: r\n  max_batch: 8\n") && Contains("    load: 0.7\n"));
    const sim::RunConfig again = test::config_of(resolved);
    CHECK(io::to_yaml(again.resolved) == resolved);
    CHECK(test::requests_csv_of(again, sim::Driver::bare) ==
          test::requests_csv_of(config, sim::Driver::bare));
  }
  SECTION("or where it is given") {
    CHECK_THAT(io::to_yaml(*with({"workload.arrivals.rho=1"}).resolved.find("reference")),
               !Contains("max_batch"));
    CHECK_THAT(
        io::to_yaml(*with({"workload.arrivals.rho=1", "reference.max_batch=4"}).resolved.find("reference")),
        Contains("max_batch: 4"));
  }
  SECTION("of 1, without exits, makes the load the same as rho") {
    const auto requests = [](const std::string& rate) {
      return test::requests_csv_of(
          with({"reference.max_batch=1", "workload.exits={kind: none}", "workload.arrivals." + rate}),
          sim::Driver::bare);
    };
    CHECK(requests("load=0.5") == requests("rho=0.5"));
  }
  SECTION("needs a measured table of so many batch sizes, where there is a load") {
    const test::TemporaryFolder folder;
    const std::string network =
        folder.write("n.yaml", "input: [4, 1, 1]\nlayers: [{name: a, kind: dense, out_channels: 4}]\n")
            .string();
    const std::string table = folder.write("t.csv", "layer,batch,latency_s\na,1,0.5\na,2,0.75\n").string();
    const auto config = [&](const std::string& rate, const std::string& more = "") {
      return test::config_of("requests: 100\nnetwork: " + network + "\nreference: {npu: {table: " + table +
                             "}" + more + "}\nworkload: {arrivals: {kind: poisson, " + rate +
                             "}}\nsystems: [{policy: {name: serial}}]\n");
    };
    CHECK(config("load: 0.75", ", max_batch: 2").devices.mean_rate_hz() == Approx(2));
    CHECK_THROWS_WITH(
        config("load: 0.75"),
        Contains("config.yaml:3:18: a load takes batches up to reference.max_batch, which is 8: ") &&
            Contains("t.csv: no latency for layer 'a' at batch 3"));
    const sim::WorkloadDescription description = describe(config("rho: 0.75"));
    CHECK(description.offered_load > 0);
    CHECK(std::isnan(description.load));
    CHECK_THAT(description.services[0].why_no_load, Contains("no latency for layer 'a' at batch 3"));
  }
}

TEST_CASE("a description's load is relative to the same time", "[load]") {
  const sim::WorkloadDescription description = describe(with({"requests=100000"}));
  REQUIRE(description.services[0].least_npu_time);
  CHECK(description.load == description.rate_hz * description.services[0].least_npu_time->request_s);
  CHECK(description.load == Approx(0.7).epsilon(0.01));
}

TEST_CASE("what is wrong with a load is said at its place", "[load]") {
  CHECK_THROWS_WITH(with({"workload.exits={kind: trace}"}),
                    Contains("--set workload.exits: a load of the arrivals needs the exit rates first"));
  CHECK_THROWS_WITH(with({"workload.exits.rates=[0.3]"}),
                    Contains("rates needs one number for each early exit"));
  CHECK_THROWS_WITH(with({"workload.arrivals.load=0"}), Contains("load must be a number, above 0"));
  CHECK_THROWS_WITH(with({"workload.arrivals.load=1e300"}), Contains("the arrival rate must be from 1e-09"));
  CHECK_THROWS_WITH(with({"workload.arrivals.load=1", "workload.arrivals.rho=1"}),
                    Contains("takes only one of 'rho', 'load'"));
  CHECK_NOTHROW(with({"workload.arrivals.rate_hz=1"}));  // the command line's counts
}
