// Runs of the policies that act by tables of decisions: against the means that are computed, and by hand.
#include <cmath>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include <catch2/catch.hpp>

#include "scheduler/optimum/optimum.h"
#include "sim/config/fbe_table_file.h"
#include "sim/run/simulation.h"
#include "tests/support/run_helpers.h"
#include "tests/support/scenarios.h"

using namespace fluidbatch;
using scheduler::FbeTable;
using sim::StatisticId;
using workloads::Rate;

namespace {

/// `optimal` and `exit_aware` on EE-ResNet-50, at most 8 in flight.
sim::Scenario at(double rho, std::uint64_t requests, std::uint64_t seed) {
  return test::scenario_of("ee_resnet50")
      .reference(test::shipped_npu("zu7ev_large"), npu::Mode::r)
      .seed(seed)
      .requests(requests)
      .warmup_requests(1000)
      .bounds(false)
      .poisson(Rate::rho(rho))
      .exit_rates(test::kExampleRates)
      .system({.policy = "optimal", .npu_mode = npu::Mode::fluid_stacked})
      .system({.policy = "exit_aware", .npu_mode = npu::Mode::fluid_stacked})
      .build();
}

double computed_mean_s(const sim::Scenario& scenario) {
  return scheduler::fbe_optimum({.table = *scenario.systems[0].table(),
                                 .exit_rates = test::kExampleRates,
                                 .rate_hz = scenario.devices.mean_rate_hz(),
                                 .max_batch = 8})
      .optimum.mean_latency_s;
}

/// Runs of `requests` each: the means of `optimal` are within `tolerance` of what is computed, and not above
/// those of `exit_aware` for the same requests, beyond the interval of the difference.
void check_means(double rho, int runs, std::uint64_t requests, double tolerance) {
  double sum_s = 0;
  double difference_s = 0;
  double squares = 0;
  double computed_s = 0;
  for (int seed = 1; seed <= runs; ++seed) {
    const sim::Scenario scenario = at(rho, requests, static_cast<std::uint64_t>(seed));
    computed_s = computed_mean_s(scenario);
    const double optimal_s = simulate(scenario, scenario.systems[0])[StatisticId::mean_latency];
    const double above_s = optimal_s - simulate(scenario, scenario.systems[1])[StatisticId::mean_latency];
    sum_s += optimal_s;
    difference_s += above_s;
    squares += above_s * above_s;
  }
  const double mean_s = sum_s / runs;
  const double above_s = difference_s / runs;
  const double error_s = std::sqrt((squares / runs - above_s * above_s) / (runs - 1));
  INFO("rho " << rho << ": computed " << computed_s << ", simulated " << mean_s << "; above exit_aware "
              << above_s << " +- " << error_s);
  CHECK(mean_s == Approx(computed_s).epsilon(tolerance).margin(0));
  CHECK(above_s < 3 * error_s);
}

sim::ScenarioBuilder two_segments(const std::vector<double>& dates_s) {
  return sim::ScenarioBuilder().latencies_s({{2, 3}, {3, 4}}, {0, 1}).dates_s(dates_s);
}

/// Two segments: an idle NPU waits for two.
std::shared_ptr<const FbeTable> pairs() {
  FbeTable table(2, 2, 2);
  table.set_newcomers({.queue = 2}, 2);
  return std::make_shared<const FbeTable>(table);
}

/// The column start_s of a requests.csv.
std::vector<double> starts_of(const std::string& csv) {
  std::vector<double> starts_s;
  std::istringstream lines(csv);
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    std::istringstream cells(line);
    std::string cell;
    for (int column = 0; column <= 4; ++column) std::getline(cells, cell, ',');
    starts_s.push_back(std::stod(cell));
  }
  return starts_s;
}

}  // namespace

TEST_CASE("`optimal` has the mean that is computed, and none above that of `exit_aware`", "[fbe_policies]") {
  check_means(0.8, 2, 60'000, 0.02);
  check_means(2.4, 2, 60'000, 0.04);
}

TEST_CASE("4 million requests of `optimal` have the mean that is computed to 0.3 %",
          "[.release][fbe_policies]") {
  for (const double rho : {0.8, 1.6, 2.4, 2.8}) check_means(rho, 4, 1'000'000, 0.003);
}

TEST_CASE("a saved table gives the same bytes as the policy that computed it", "[fbe_policies]") {
  const sim::Scenario computed = at(2.4, 3000, 1);
  const std::filesystem::path file = std::filesystem::temp_directory_path() / "fluidbatch_saved_table.csv";
  std::ofstream(file, std::ios::binary) << sim::fbe_table_csv(*computed.systems[0].npus[0].decisions[0]);
  const auto table = std::make_shared<const FbeTable>(sim::read_fbe_table(file));
  std::filesystem::remove(file);
  const sim::Scenario saved =
      test::scenario_of("ee_resnet50")
          .reference(test::shipped_npu("zu7ev_large"), npu::Mode::r)
          .requests(3000)
          .poisson(Rate::rho(2.4))
          .exit_rates(test::kExampleRates)
          .system({.policy = "table", .parameters = {{"path", table}}, .npu_mode = npu::Mode::fluid_stacked})
          .build();
  const std::string by_table = test::requests_csv_of(saved, sim::Driver::bare);
  CHECK(by_table == test::requests_csv_of(computed, sim::Driver::bare, 0));
  CHECK(by_table != test::requests_csv_of(computed, sim::Driver::bare, 1));
}

TEST_CASE("who waits for company starts alone when nobody comes any more", "[fbe_policies]") {
  const sim::Scenario scenario =
      two_segments({0, 1, 20}).system({.policy = "table", .parameters = {{"path", pairs()}}}).build();
  const test::RunOutcome outcome = test::run_bare(scenario);
  REQUIRE(outcome.requests.size() == 3);
  CHECK(outcome.requests[0].start_s == 1);
  CHECK(outcome.requests[1].completion_s == 8);
  CHECK(outcome.requests[2].start_s == 20);
  const std::string bare = test::requests_csv_of(scenario, sim::Driver::bare);
  CHECK(bare == test::requests_csv_of(scenario, sim::Driver::simgrid));
  CHECK(bare == test::requests_csv_of(scenario, sim::Driver::simgrid_window));
}

TEST_CASE("SimGrid's links say that somebody is still on the way", "[fbe_policies]") {
  // 1 s each on a link of its own, so that the second comes 4 s after the first, and nobody after it.
  using Model = workloads::UplinkSpec::Model;
  for (const Model model : {Model::analytic, Model::simgrid}) {
    const sim::Scenario scenario = two_segments({0, 4, 30})
                                       .uplink({.model = model, .access_point_bandwidth_bytes_per_s = 1e6},
                                               {.sample_bytes = 1e6, .bandwidth_bytes_per_s = 1e6})
                                       .system({.policy = "table", .parameters = {{"path", pairs()}}})
                                       .build();
    const std::vector<double> starts_s = starts_of(
        test::requests_csv_of(scenario, model == Model::simgrid ? sim::Driver::simgrid : sim::Driver::bare));
    REQUIRE(starts_s.size() == 3);
    CHECK(starts_s[0] == Approx(5));
    CHECK(starts_s[1] == Approx(5));
    CHECK(starts_s[2] == Approx(31));
  }
}

TEST_CASE("a scenario refuses what its policy has no table for", "[fbe_policies]") {
  const auto refuses = [](const sim::ScenarioBuilder& builder, const std::string& message) {
    CHECK_THROWS_WITH(builder.build(), Catch::Matchers::Contains(message));
  };
  refuses(two_segments({0, 1}).system({.policy = "optimal", .parameters = {{"max_batch", 2}}}),
          "policy optimal: the workload has no mean rate");
  const sim::PolicyArguments arguments{{"max_batch", 2}, {"rate_hz", 0.1}};
  const sim::Scenario built =
      two_segments({0, 1}).system({.policy = "optimal", .parameters = arguments}).build();
  CHECK(built.systems[0].npus[0].decisions[0]->max_batch() == 2);
  refuses(two_segments({0}).system("table"), "policy table needs 'path'");
  refuses(two_segments({0}).system({.policy = "table", .parameters = {{"path", "t.csv"}}}),
          "path must be a table of decisions");
  refuses(two_segments({0}).system({.policy = "exit_aware", .parameters = {{"trigger", pairs()}}}),
          "trigger can't be such a table");
  const auto other = std::make_shared<const FbeTable>(3, 2, 1);
  refuses(two_segments({0}).system({.policy = "table", .parameters = {{"path", other}}}),
          "policy table: the table is for 3 segments, and the network has 2");
}
