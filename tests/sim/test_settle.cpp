// Runs to a precision and automatic warm-ups: how their lengths are found, and that the run is one of that
// length.
#include <cmath>
#include <limits>
#include <vector>

#include <catch2/catch.hpp>

#include "sim/measure/precision.h"
#include "sim/run/settle.h"
#include "sim/run/simulation.h"
#include "sim/run/stages.h"
#include "tests/support/md1.h"
#include "tests/support/run_helpers.h"
#include "tests/support/scenarios.h"

using namespace fluidbatch;
using Catch::Contains;
using Id = sim::StatisticId;
using workloads::Rate;

namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

/// Service takes 10 ms: M/D/1.
sim::ScenarioBuilder md1(double rho) {
  return sim::ScenarioBuilder()
      .latencies_s({{0.01}})
      .poisson(Rate::rho(rho))
      .bounds(false)
      .warmup_requests(1000)
      .system("serial");
}

double md1_mean_s(double rho) { return test::md1_mean_s(rho, 0.01); }

/// Statistics of a run with this mean and half-width.
sim::RunStatistics with_mean(double mean_s, double half_width_s, double requests = 10'000) {
  sim::RunStatistics statistics;
  statistics.set(Id::requests, requests);
  statistics.set(Id::mean_latency, mean_s);
  statistics.set(Id::mean_latency_ci95, half_width_s);
  return statistics;
}

std::vector<std::uint64_t> all_stages(sim::Stages stages) {
  std::vector<std::uint64_t> sizes{stages.requests()};
  while (!stages.is_last()) {
    stages.advance(0);
    sizes.push_back(stages.requests());
  }
  return sizes;
}

/// Stands for runs of systems, each of which reaches 1 % once it measures so many requests.
class PretendedRuns {
 public:
  PretendedRuns(std::vector<double> needed, std::uint64_t warmup)
      : needed_(std::move(needed)), warmup_(warmup) {}

  std::vector<sim::Trial> operator()(const sim::Scenario& scenario) {
    lengths.push_back(scenario.length.requests);
    std::vector<sim::Trial> trials;
    for (const double needed : needed_) {
      const auto measured = static_cast<double>(scenario.length.requests - scenario.warmup_requests);
      sim::Trial trial{.statistics = with_mean(1, 0.01 * std::sqrt(needed / measured), measured),
                       .warmup = {}};
      trial.statistics.admitted = scenario.length.requests;
      if (scenario.automatic_warmup) trial.warmup = {.requests = warmup_ + trials.size(), .at_end = false};
      trials.push_back(trial);
    }
    return trials;
  }

  std::vector<std::uint64_t> lengths;

 private:
  std::vector<double> needed_;
  std::uint64_t warmup_;
};

}  // namespace

TEST_CASE("intervals are found by the names of statistics", "[settle]") {
  CHECK(sim::half_width_of(Id::mean_latency) == Id::mean_latency_ci95);
  CHECK(sim::half_width_of(Id::slo_violation_rate) == Id::slo_violation_rate_ci95);
  CHECK_FALSE(sim::half_width_of(Id::p50_latency));
  CHECK_FALSE(sim::half_width_of(Id::mean_latency_ci95));
  // Each half-width that is declared is that of one statistic.
  std::size_t half_widths = 0;
  for (const sim::Statistic& statistic : sim::all_statistics()) {
    if (std::string(statistic.name).find("_ci95") != std::string::npos) ++half_widths;
  }
  CHECK(sim::statistics_with_interval().size() == half_widths);
}

TEST_CASE("what counts as precise", "[settle]") {
  const sim::PrecisionTarget target{.statistic = Id::mean_latency, .relative_half_width = 0.1};
  CHECK(sim::relative_half_width(with_mean(2, 0.2), Id::mean_latency) == Approx(0.1));
  CHECK(sim::reaches(with_mean(2, 0.19), target));
  CHECK_FALSE(sim::reaches(with_mean(2, 0.21), target));
  CHECK_FALSE(sim::reaches(with_mean(2, kNone), target));
  CHECK_FALSE(sim::reaches(with_mean(0, 0.1), target));
  CHECK_FALSE(sim::reaches(with_mean(std::numeric_limits<double>::infinity(), 0.1), target));
  CHECK(sim::reaches(with_mean(0, 0), target));  // known to the last digit
  sim::RunStatistics saturated = with_mean(2, 0.01);
  saturated.saturated = true;
  CHECK_FALSE(sim::reaches(saturated, target));
  CHECK(std::isnan(sim::relative_half_width(with_mean(2, 0.2), Id::p50_latency)));

  CHECK(sim::needed_requests(with_mean(2, 0.4), {target}) == Approx(40'000));
  CHECK(sim::needed_requests(with_mean(2, kNone), {target}) == 0);
}

TEST_CASE("stages double up to the last one", "[settle]") {
  CHECK(all_stages({500, 50'000}) == std::vector<std::uint64_t>{10'500, 20'500, 40'500, 50'000});
  CHECK(all_stages({0, 40'000}) == std::vector<std::uint64_t>{10'000, 20'000, 40'000});
  CHECK(all_stages({0, 3000}) == std::vector<std::uint64_t>{3000});
  CHECK(all_stages({100, 50}) == std::vector<std::uint64_t>{50});
  sim::Stages stages(500, 1'000'000);
  stages.advance(81'000);  // 40,000 are less than a half of them, 80,000 are not
  CHECK(stages.requests() == 80'500);
  stages.advance(1e12);
  CHECK(stages.requests() == 1'000'000);
}

TEST_CASE("a run stops at the first stage at which all systems are precise", "[settle]") {
  const auto settled = [](PretendedRuns& runs, std::uint64_t most) {
    sim::Scenario scenario =
        md1(0.5).until({{.statistic = Id::mean_latency, .relative_half_width = 0.01}}, most).build();
    sim::settle(scenario, std::ref(runs));
    CHECK_FALSE(scenario.is_open());
    return scenario.length.requests;
  };
  PretendedRuns quick({9000}, 0);
  CHECK(settled(quick, 1'000'000) == 11'000);
  CHECK(quick.lengths == std::vector<std::uint64_t>{11'000});
  PretendedRuns slower({9000, 70'000}, 0);  // 20,000 are not half of what the second one needs
  CHECK(settled(slower, 1'000'000) == 81'000);
  CHECK(slower.lengths == std::vector<std::uint64_t>{11'000, 41'000, 81'000});
  PretendedRuns endless({1e9}, 0);  // what the last stage gives, the run itself will say
  CHECK(settled(endless, 1'000'000) == 1'000'000);
  CHECK(endless.lengths == std::vector<std::uint64_t>{11'000});
}

TEST_CASE("an automatic warm-up is the longest of all systems, found at each stage", "[settle]") {
  sim::Scenario scenario = md1(0.5)
                               .until({{.statistic = Id::mean_latency, .relative_half_width = 0.01}})
                               .automatic_warmup()
                               .build();
  PretendedRuns runs({10'000, 18'000}, 300);
  sim::settle(scenario, std::ref(runs));
  CHECK(scenario.warmup_requests == 301);
  CHECK(scenario.length.requests == 20'000);
  CHECK(runs.lengths == std::vector<std::uint64_t>{10'000, 10'000, 20'000, 20'000});

  sim::Scenario of_given_length = md1(0.5).requests(5000).automatic_warmup().build();
  PretendedRuns once({1}, 40);
  sim::settle(of_given_length, std::ref(once));
  CHECK(of_given_length.warmup_requests == 40);
  CHECK(of_given_length.length.requests == 5000);
  CHECK(once.lengths == std::vector<std::uint64_t>{5000});
}

TEST_CASE("a run to a precision is the run of the length that was found", "[settle]") {
  constexpr double kRho = 0.7;
  sim::Scenario scenario =
      md1(kRho).until({{.statistic = Id::mean_latency, .relative_half_width = 0.02}}).build();
  CHECK_THROWS_WITH(sim::simulate(scenario, scenario.systems[0]), Contains("must be settled first"));
  sim::settle(scenario, scenario.systems[0]);
  const sim::RunStatistics found = sim::simulate(scenario, scenario.systems[0]);
  CHECK(sim::reaches(found, scenario.until));
  CHECK(found[Id::mean_latency] == Approx(md1_mean_s(kRho)).epsilon(0.03));

  const std::uint64_t length = scenario.length.requests;
  CHECK(length > 20'000);
  const sim::Scenario plain = md1(kRho).requests(length).build();
  const sim::RunStatistics expected = sim::simulate(plain, plain.systems[0]);
  CHECK(test::requests_csv_of(scenario, sim::Driver::bare) ==
        test::requests_csv_of(plain, sim::Driver::bare));
  for (const sim::Statistic& statistic : sim::all_statistics()) {
    const double value = expected[statistic.id];
    INFO(statistic.name);
    CHECK((found[statistic.id] == value || (std::isnan(value) && std::isnan(found[statistic.id]))));
  }
}

TEST_CASE("MSER-5 takes the start of a run out of its mean", "[settle]") {
  // For the first three seconds more come than can be served; after it the load is 0.5.
  constexpr double kRho = 0.5;
  const auto started_badly = [&] {
    return md1(kRho).requests(40'000).arrivals(
        sim::spike({{Rate::rho(3), 3}, {Rate::rho(kRho), 1e6}}, false));
  };
  const auto mean_s = [](const sim::Scenario& scenario) {
    return sim::simulate(scenario, scenario.systems[0])[Id::mean_latency];
  };
  sim::Scenario scenario = started_badly().automatic_warmup().build();
  sim::settle(scenario, scenario.systems[0]);
  // 900 have come and 300 been served when the burst ends; its queue lasts for 12 s, in which 600 more come.
  CHECK(scenario.warmup_requests >= 1300);
  CHECK(scenario.warmup_requests <= 1800);
  CHECK_FALSE(scenario.warmup_at_end);
  CHECK(mean_s(scenario) == Approx(md1_mean_s(kRho)).epsilon(0.02));
  CHECK(mean_s(started_badly().warmup_requests(0).build()) > 5 * md1_mean_s(kRho));
}

TEST_CASE("precisions that can't be are refused", "[settle]") {
  const auto build = [](Id statistic, double half_width, double slo_s) {
    return md1(0.5).slo_s(slo_s).until({{statistic, half_width}}).build();
  };
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  CHECK_NOTHROW(build(Id::slo_violation_rate, 0.1, 1));
  CHECK_THROWS_WITH(build(Id::slo_violation_rate, 0.1, kInfinity), Contains("needs an SLO"));
  CHECK_THROWS_WITH(build(Id::p50_latency, 0.1, 1), Contains("p50_latency_s has no interval"));
  CHECK_THROWS_WITH(build(Id::mean_latency, 0, 1), Contains("above 0"));
  CHECK_THROWS_WITH(build(Id::mean_latency, 1, 1), Contains("above 0"));
  CHECK_THROWS_WITH(md1(0.5).until({{Id::mean_latency, 0.1}}, 1000).build(), Contains("leaves none"));
  // The later setter counts.
  CHECK_FALSE(md1(0.5).until({{Id::mean_latency, 0.1}}).requests(2000).build().is_open());
  CHECK_FALSE(md1(0.5).automatic_warmup().warmup_requests(5).build().is_open());
}
