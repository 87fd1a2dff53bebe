// Whole runs against queueing theory. Long: they run in the Release build.
#include <algorithm>
#include <cmath>
#include <numeric>

#include <catch2/catch.hpp>

#include "tests/support/run_helpers.h"
#include "tests/support/scenarios.h"

using namespace fluidbatch;
using workloads::Rate;

namespace {

/// Mean and 99 % half-width by 32 batch means, after a warm-up of a tenth.
struct Interval {
  double mean;
  double half_width;
};

Interval mean_wait(const std::vector<scheduler::Request>& requests) {
  constexpr std::size_t kBatches = 32;
  constexpr double kStudentT31 = 2.7440;  // 99.5 % quantile, 31 degrees of freedom
  const std::size_t skipped = requests.size() / 10;
  const std::size_t size = (requests.size() - skipped) / kBatches;
  std::vector<double> means;
  for (std::size_t b = 0; b < kBatches; ++b) {
    double sum = 0;
    for (std::size_t i = 0; i < size; ++i) {
      const auto& request = requests[skipped + b * size + i];
      sum += request.start_s - request.arrival_s;
    }
    means.push_back(sum / static_cast<double>(size));
  }
  const double mean = std::accumulate(means.begin(), means.end(), 0.0) / kBatches;
  double squares = 0;
  for (const double m : means) squares += (m - mean) * (m - mean);
  return {mean, kStudentT31 * std::sqrt(squares / (kBatches - 1) / kBatches)};
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
    const Interval wait = mean_wait(test::run_bare(scenario).requests);
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
    const Interval wait = mean_wait(test::run_bare(scenario).requests);
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
