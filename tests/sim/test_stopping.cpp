// Runs that stop when they are precise enough stop more easily where their interval happens to be narrow: how
// often intervals still cover the true value, over many seeds.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <vector>

#include <catch2/catch.hpp>

#include "sim/run/settle.h"
#include "sim/run/simulation.h"
#include "tests/support/md1.h"
#include "tests/support/scenarios.h"

using namespace fluidbatch;
using Id = sim::StatisticId;
using workloads::Rate;

namespace {

constexpr double kService_s = 0.01;
constexpr double kSlo_s = 4 * kService_s;

struct Case {
  double rho;
  sim::PrecisionTarget target;
};

double truth_of(const Case& c) {
  if (c.target.statistic == Id::mean_latency) return test::md1_mean_s(c.rho, kService_s);
  if (c.target.statistic == Id::p99_latency) return test::md1_p99_s(c.rho, kService_s);
  return 1 - test::md1_wait_cdf(kSlo_s - kService_s, c.rho, kService_s);
}

struct Stopped {
  int covering = 0;  ///< runs whose interval has the true value in it
  int within = 0;    ///< that are no farther from it than was asked for
  std::vector<std::uint64_t> lengths;

  [[nodiscard]] double share(int runs) const { return runs / static_cast<double>(lengths.size()); }
};

Stopped stop(const Case& c, std::uint64_t seeds) {
  const double truth = truth_of(c);
  Stopped result;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    sim::Scenario scenario = sim::ScenarioBuilder()
                                 .latencies_s({{kService_s}})
                                 .poisson(Rate::rho(c.rho))
                                 .slo_s(kSlo_s)
                                 .bounds(false)
                                 .warmup_requests(1000)
                                 .until({c.target})
                                 .seed(seed)
                                 .system("serial")
                                 .build();
    sim::settle(scenario, scenario.systems[0]);
    const sim::RunStatistics statistics = sim::simulate(scenario, scenario.systems[0]);
    REQUIRE(sim::reaches(statistics, c.target));
    const double error = std::abs(statistics[c.target.statistic] - truth);
    if (error <= statistics[*sim::half_width_of(c.target.statistic)]) ++result.covering;
    if (error <= c.target.relative_half_width * truth) ++result.within;
    result.lengths.push_back(scenario.length.requests);
  }
  std::ranges::sort(result.lengths);
  return result;
}

}  // namespace

TEST_CASE("intervals at which runs stop cover the closed form of M/D/1", "[.release]") {
  const Stopped stopped = stop({0.8, {Id::mean_latency, 0.1}}, 200);
  CHECK(stopped.share(stopped.covering) >= 0.9);
  CHECK(stopped.lengths.front() < stopped.lengths.back());
}

// Some 100 million requests; docs/update.py prints it.
TEST_CASE("coverage of intervals at which runs stop, for docs/validation.md", "[.stopping]") {
  const std::vector<Case> cases{{0.5, {Id::mean_latency, 0.02}},      {0.8, {Id::mean_latency, 0.1}},
                                {0.8, {Id::mean_latency, 0.05}},      {0.5, {Id::p99_latency, 0.05}},
                                {0.5, {Id::slo_violation_rate, 0.2}}, {0.8, {Id::slo_violation_rate, 0.2}}};
  std::printf(
      "| rho | asked for | interval covers | within what was asked for | requests (least, median, most) |\n");
  std::printf("|---|---|---|---|---|\n");
  for (const Case& c : cases) {
    const Stopped stopped = stop(c, 200);
    const char* name = sim::all_statistics()[static_cast<std::size_t>(c.target.statistic)].name;
    std::printf("| %g | %s: %g | %.3f | %.3f | %ju, %ju, %ju |\n", c.rho, name, c.target.relative_half_width,
                stopped.share(stopped.covering), stopped.share(stopped.within),
                static_cast<std::uintmax_t>(stopped.lengths.front()),
                static_cast<std::uintmax_t>(stopped.lengths[stopped.lengths.size() / 2]),
                static_cast<std::uintmax_t>(stopped.lengths.back()));
    INFO(name << ", rho " << c.rho);
    CHECK(stopped.share(stopped.covering) >= 0.9);
    CHECK(stopped.share(stopped.within) >= 0.95);
  }
}
