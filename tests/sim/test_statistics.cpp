// Statistics of runs small enough to work out by hand.
#include <cmath>
#include <limits>
#include <set>

#include <catch2/catch.hpp>

#include "sim/core/conservation.h"
#include "sim/core/invariant.h"
#include "tests/support/run_helpers.h"
#include "tests/support/scenarios.h"

using namespace fluidbatch;
using Id = sim::StatisticId;
using workloads::Rate;

namespace {

/// resnet50, served one at a time, of requests at these dates.
sim::ScenarioBuilder serial_run(const std::vector<double>& dates_s) {
  return test::scenario_of("resnet50").dates_s(dates_s).system("serial");
}

}  // namespace

TEST_CASE("three requests, by hand", "[statistics]") {
  // The first is warm-up. Single sample latency d; request 1 at 10, 2 at 10, so latencies d and 2 d.
  const sim::Scenario scenario =
      serial_run({0, 10, 10}).warmup_requests(1).slo_unloaded_multiple(1.5).build();
  const double d = scenario.service().reference_latency_s;
  const sim::RunStatistics s = test::run_bare(scenario).statistics;
  CHECK(s.admitted == 3);
  CHECK(s[Id::requests] == 2);
  CHECK(s[Id::mean_latency] == Approx(1.5 * d));
  CHECK(s[Id::p50_latency] == Approx(d));  // nearest rank: the first of two
  CHECK(s[Id::p90_latency] == Approx(2 * d));
  CHECK(s[Id::max_latency] == Approx(2 * d));
  CHECK(s[Id::slo_violation_rate] == 0.5);
  CHECK(s[Id::throughput] == Approx(2 / (2 * d)));
  CHECK(s[Id::goodput] == Approx(1 / (2 * d)));
  CHECK(s[Id::mean_queueing] == Approx(d / 2));
  CHECK(s[Id::mean_executing] == Approx(d));
  CHECK(s[Id::mean_suspended] == 0);
  CHECK(s[Id::busy_fraction] == Approx(1));
  CHECK(s[Id::mean_batch] == Approx(1));
  CHECK(s[Id::mean_start_batch] == 1);
  CHECK(s[Id::mean_in_system] == Approx((d + d + 2 * d) / (10 + 2 * d)));
  const npu::Npu& npu = *scenario.systems[0].table()->npu();
  CHECK(s[Id::mac_utilisation] == Approx(static_cast<double>(scenario.service().network.macs()) /
                                         (d * npu.clock_hz * static_cast<double>(npu.macs_per_cycle()))));
  CHECK(std::isnan(s[Id::mean_latency_ci95]));
  CHECK(s.absence(Id::mean_latency_ci95) == sim::Absence::too_few);
  CHECK(s.absence(Id::mean_latency) == sim::Absence::none);
  CHECK(s.exit_shares == std::vector<double>{1});
  CHECK_FALSE(s.saturated);
}

TEST_CASE("a step that began in the warm-up counts from the first measured arrival", "[statistics]") {
  const double d = serial_run({0}).build().service().reference_latency_s;
  // Request 0 runs from 0 to d; request 1 arrives at d / 4 and completes at 2 d.
  const sim::RunStatistics s = test::run_bare(serial_run({0, d / 4}).warmup_requests(1).build()).statistics;
  CHECK(s[Id::requests] == 1);
  CHECK(s[Id::busy_fraction] == Approx(1));
  CHECK(s[Id::mean_batch] == Approx(1));
  CHECK(s[Id::throughput] == Approx(1 / (1.75 * d)).epsilon(1e-4));
}

TEST_CASE("a request of the warm-up that completes last is within the measured window", "[statistics]") {
  // A batch of two, begun when the second comes; that one leaves at the first exit, the first at the end.
  const sim::Scenario scenario = test::scenario_of("ee_resnet50")
                                     .warmup_requests(1)
                                     .recorded({{0, 3}, {0.5, 0}})
                                     .system({.policy = "dynamic_batching",
                                              .parameters = {{"max_batch", 2}, {"max_queue_delay_ms", 1000}}})
                                     .build();
  const test::RunOutcome outcome = test::run_bare(scenario);
  const sim::RunStatistics& s = outcome.statistics;
  REQUIRE(outcome.requests[0].completion_s > outcome.requests[1].completion_s);
  CHECK(s[Id::requests] == 1);
  CHECK(s[Id::busy_fraction] == Approx(1));
  CHECK(s[Id::mean_batch] > 1);
  CHECK(s[Id::mean_batch] < 2);
  CHECK(s[Id::throughput] == Approx(1 / (outcome.requests[0].completion_s - 0.5)));
  CHECK(s[Id::mean_start_batch] == 2);
}

TEST_CASE("mean_start_batch is of the batches begun in the measured window", "[statistics]") {
  const sim::Scenario scenario = test::scenario_of("ee_resnet50")
                                     .requests(2000)
                                     .warmup_requests(503)
                                     .poisson(Rate::rho(1.8))
                                     .exit_rates(test::kExampleRates)
                                     .system("dynamic_batching")
                                     .system("exit_aware")
                                     .build();
  for (const std::size_t system : {0U, 1U}) {
    const test::RunOutcome outcome = test::run_bare(scenario, system);
    // Requests that begin at the same date have been taken from the queue together.
    std::set<double> begins;
    double samples = 0;
    for (const auto& request : outcome.requests) {
      if (request.start_s < outcome.requests[503].arrival_s) continue;
      begins.insert(request.start_s);
      ++samples;
    }
    CHECK(outcome.statistics[Id::mean_start_batch] == Approx(samples / static_cast<double>(begins.size())));
  }
}

TEST_CASE("an NPU busy for longer than the window is a broken invariant", "[statistics]") {
  const sim::Scenario scenario = serial_run({0}).build();
  sim::Totals totals;
  totals.latencies_s = {1};
  totals.window_begin_s = 1;
  const sim::Conservation conservation{.admitted = 1, .completed = 1, .end_s = 3};
  const auto compute = [&](double busy_s) {
    totals.busy_s = busy_s;
    return sim::compute_statistics(totals, conservation, scenario.service().slo);
  };
  CHECK(compute(2)[Id::busy_fraction] == 1);
  CHECK_THROWS_AS(compute(2.01), sim::InvariantViolation);
}

TEST_CASE("an exact tie with the SLO is met", "[statistics]") {
  const sim::ScenarioBuilder base = serial_run({0, 0.6, 1.2});
  const auto late = [](const sim::ScenarioBuilder& builder) {
    return test::run_bare(builder.build()).statistics[Id::slo_violation_rate];
  };
  CHECK(late(sim::ScenarioBuilder(base).slo_unloaded_multiple(1)) == 0);
  CHECK(late(sim::ScenarioBuilder(base).slo_unloaded_multiple(0.999999)) == 1);
  CHECK(late(sim::ScenarioBuilder(base).slo_s(0)) == 1);
  CHECK(late(sim::ScenarioBuilder(base).slo_s(std::numeric_limits<double>::infinity())) == 0);
}

TEST_CASE("overload is called saturated, load below one is not", "[statistics]") {
  for (const double rho : {0.2, 0.8, 0.95, 1.1, 3.0}) {
    const sim::Scenario scenario =
        test::scenario_of("resnet50").requests(20000).poisson(Rate::rho(rho)).system("serial").build();
    INFO("rho " << rho);
    CHECK(test::run_bare(scenario).statistics.saturated == (rho > 1));
  }
}

TEST_CASE("percentiles are nearest rank on all measured requests, intervals cover", "[statistics]") {
  const sim::Scenario scenario = test::scenario_of("resnet50")
                                     .requests(20000)
                                     .warmup_requests(37)
                                     .poisson(Rate::rho(0.7))
                                     .system("serial")
                                     .build();
  const test::RunOutcome outcome = test::run_bare(scenario);
  std::multiset<double> latencies;
  for (std::size_t i = 37; i < outcome.requests.size(); ++i) {
    latencies.insert(outcome.requests[i].completion_s - outcome.requests[i].arrival_s);
  }
  const std::vector<double> sorted(latencies.begin(), latencies.end());
  const auto rank = [&](double q) { return sorted[static_cast<std::size_t>(std::ceil(q * 19963)) - 1]; };
  const sim::RunStatistics& s = outcome.statistics;
  CHECK(s[Id::p50_latency] == rank(0.5));
  CHECK(s[Id::p90_latency] == rank(0.9));
  CHECK(s[Id::p95_latency] == rank(0.95));
  CHECK(s[Id::p99_latency] == rank(0.99));
  CHECK(s[Id::p99_9_latency] == rank(0.999));
  CHECK(s[Id::max_latency] == sorted.back());
  CHECK(s[Id::mean_latency_ci95] > 0);
  CHECK(s[Id::mean_latency_ci95] < 0.2 * s[Id::mean_latency]);
  CHECK(s[Id::p99_latency_ci95] > 0);
}

TEST_CASE("every statistic is declared once, in the order of its number", "[statistics]") {
  std::set<std::string> names;
  std::size_t next = 0;
  for (const sim::Statistic& statistic : sim::all_statistics()) {
    CHECK(static_cast<std::size_t>(statistic.id) == next++);
    CHECK(names.insert(statistic.name).second);
  }
  CHECK(next == sim::kStatistics);
}
