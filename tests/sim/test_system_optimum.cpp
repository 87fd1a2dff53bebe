// Which systems have an optimum, and which of them `run` computes.
#include <cmath>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "sim/run/optimum.h"
#include "tests/support/scenarios.h"
#include "workloads/exits/exits.h"
#include "workloads/traffic/processes.h"

using namespace fluidbatch;
using sim::Scenario;
using test::Rate;

namespace {

sim::ScenarioBuilder base() {
  return test::scenario_of("ee_resnet50").exit_rates(test::kExampleRates).poisson(Rate::hz(30));
}

sim::SystemSpec batching(const std::string& label, int max_batch) {
  return {.policy = "dynamic_batching", .parameters = {{"max_batch", max_batch}}, .label = label};
}

}  // namespace

TEST_CASE("which processes and exits have a theory", "[system_optimum]") {
  CHECK(workloads::make_poisson(3)->is_poisson());
  CHECK_FALSE(workloads::make_gamma(3, 2)->is_poisson());
  CHECK_FALSE(workloads::make_spike({{.rate_hz = 1, .duration_s = 1}, {.rate_hz = 2, .duration_s = 1}})
                  ->is_poisson());
  CHECK(workloads::make_no_exits(4)->are_independent());
  CHECK(workloads::make_rates({0.5})->are_independent());
  CHECK_FALSE(workloads::make_correlated({0.5}, 0.5)->are_independent());
  CHECK_FALSE(workloads::make_exit_list({0, 1}, 2)->are_independent());
  // Samples drawn with replacement; the rates of all rows are not those of every other row.
  const auto recorded = workloads::make_confidences(
      {{.confidences = {0.9, 1}, .correct = {1, 1}}, {.confidences = {0.1, 1}, .correct = {0, 1}}}, {0.5});
  CHECK(recorded->are_independent());
  CHECK_FALSE(recorded->of_odd_rows()->are_independent());
}

TEST_CASE("the quick means are those of the optima, as long as they take about a second",
          "[system_optimum]") {
  // By the estimate 16 in flight take 0.6 s, 15 the same, 4 hardly anything.
  const Scenario scenario =
      base().system(batching("a", 16)).system(batching("b", 15)).system(batching("c", 4)).build();
  const std::vector<double> means_s = sim::quick_free_means_s(scenario);
  REQUIRE(means_s.size() == 3);
  for (const std::size_t i : {0U, 2U}) {
    CHECK(means_s[i] == free_optimum(sim::optimum_problem(scenario, scenario.systems[i])).mean_latency_s);
  }
  CHECK(std::isnan(means_s[1]));
}
