// Whole runs against queueing theory. Long: they run in the Release build.
#include <algorithm>
#include <cmath>

#include <catch2/catch.hpp>

#include "tests/support/batch_means.h"
#include "tests/support/run_helpers.h"
#include "tests/support/scenarios.h"

using namespace fluidbatch;
using workloads::Rate;

namespace {

test::Interval mean_wait(const std::vector<scheduler::Request>& requests) {
  std::vector<double> waits_s;
  waits_s.reserve(requests.size());
  for (const scheduler::Request& request : requests) waits_s.push_back(request.start_s - request.arrival_s);
  return test::batch_means(waits_s);
}

}  // namespace

TEST_CASE("M/D/1: the mean wait is rho D / 2 (1 - rho)", "[.release][theory]") {
  struct Case {
    double rho;
    double widest;  // relative half-width of the interval
  };
  for (const Case& c : {Case{0.3, 0.01}, Case{0.6, 0.01}, Case{0.9, 0.03}}) {
    const sim::Scenario scenario = test::scenario_of("resnet50")
                                       .seed(11)
                                       .requests(4'000'000)
                                       .poisson(Rate::rho(c.rho))
                                       .system("serial")
                                       .build();
    const double service_s = scenario.systems[0].table()->single_sample_latency_s();
    const double theory_s = c.rho * service_s / (2 * (1 - c.rho));
    const test::Interval wait = mean_wait(test::run_bare(scenario).requests);
    INFO("rho " << c.rho << ": theory " << theory_s << ", run " << wait.mean << " +- " << wait.half_width);
    CHECK(std::abs(wait.mean - theory_s) <= wait.half_width);
    CHECK(wait.half_width < c.widest * theory_s);
  }
}

TEST_CASE("M/G/1: Pollaczek and Khinchine's mean wait, with exits", "[.release][theory]") {
  const std::vector<double>& rates = test::kExampleRates;
  const sim::ScenarioBuilder base =
      test::scenario_of("ee_resnet50").seed(5).requests(4'000'000).exit_rates(rates).system("serial");
  for (const double load : {0.3, 0.6, 0.9}) {
    const auto table = sim::ScenarioBuilder(base).poisson(Rate::hz(1)).build().systems[0].table();
    double reach = 1;
    double service_s = 0;
    double mean_s = 0;
    double second_moment = 0;
    for (int s = 0; s < 4; ++s) {
      service_s += table->latency_s(table->segment_begin(s), table->segment_begin(s + 1), 1);
      const double leaves = reach * (s < 3 ? rates[static_cast<std::size_t>(s)] : 1);
      mean_s += leaves * service_s;
      second_moment += leaves * service_s * service_s;
      reach -= leaves;
    }
    const sim::Scenario scenario = sim::ScenarioBuilder(base).poisson(Rate::hz(load / mean_s)).build();
    const double theory_s = load / mean_s * second_moment / (2 * (1 - load));
    const test::Interval wait = mean_wait(test::run_bare(scenario).requests);
    INFO("load " << load << ": theory " << theory_s << ", run " << wait.mean << " +- " << wait.half_width);
    CHECK(std::abs(wait.mean - theory_s) <= wait.half_width);
    CHECK(wait.half_width < (load < 0.8 ? 0.01 : 0.03) * theory_s);
  }
}

TEST_CASE("a million requests: nothing is lost, and Little's law is exact", "[.release][theory]") {
  // Server::finish holds both identities; here they are worked out again from the rows.
  const sim::Scenario scenario = test::scenario_of("ee_resnet50")
                                     .requests(1'000'000)
                                     .poisson(Rate::rho(2))
                                     .exit_rates(test::kExampleRates)
                                     .system({.policy = "dynamic_batching",
                                              .parameters = {{"max_batch", 8}, {"max_queue_delay_ms", 10}}})
                                     .build();
  const test::RunOutcome outcome = test::run_bare(scenario);
  REQUIRE(outcome.requests.size() == 1'000'000);
  std::vector<std::pair<double, int>> changes;
  double latencies_s = 0;
  for (const auto& request : outcome.requests) {
    changes.emplace_back(request.arrival_s, 1);
    changes.emplace_back(request.completion_s, -1);
    latencies_s += request.completion_s - request.arrival_s;
  }
  std::sort(changes.begin(), changes.end());
  double area = 0;
  double last_s = 0;
  int in_system = 0;
  for (const auto& [date_s, change] : changes) {
    area += in_system * (date_s - last_s);
    last_s = date_s;
    in_system += change;
  }
  CHECK(in_system == 0);
  CHECK(area == Approx(latencies_s).epsilon(1e-9).margin(0));
  CHECK(outcome.statistics[sim::StatisticId::mean_in_system] == Approx(area / last_s).epsilon(1e-9));
}
