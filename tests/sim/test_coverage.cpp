// The printed intervals against true values: how often they cover them, over many seeds.
#include <array>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "sim/run/simulation.h"
#include "tests/support/run_helpers.h"
#include "tests/support/scenarios.h"

using namespace fluidbatch;
using Id = sim::StatisticId;
using workloads::Rate;

namespace {

constexpr std::uint64_t kWarmup = 1000;

struct Truth {
  double mean_s = 0;
  double late_share = 0;
  double p99_s = 0;
};

/// Erlang's distribution of the wait of M/D/1, P(W <= t), for a service of `d` and the load `rho`.
double md1_wait_cdf(double t, double rho, double d) {
  long double sum = 0;
  long double factorial = 1;
  for (int k = 0; k <= static_cast<int>(t / d); ++k) {
    if (k > 0) factorial *= k;
    const long double x = static_cast<long double>(rho) * (k - static_cast<long double>(t) / d);
    sum += std::pow(x, k) / factorial * std::exp(-x);
  }
  return static_cast<double>((1 - rho) * sum);
}

/// Of latencies of M/D/1 with an SLO of `slo_s`.
Truth md1_truth(double rho, double d, double slo_s) {
  double low = 0;
  double high = 40 * d;
  while (high - low > 1e-9 * d) {
    const double middle = (low + high) / 2;
    (md1_wait_cdf(middle, rho, d) < 0.99 ? low : high) = middle;
  }
  return {.mean_s = d + rho * d / (2 * (1 - rho)),
          .late_share = 1 - md1_wait_cdf(slo_s - d, rho, d),
          .p99_s = d + low};
}

sim::Scenario serial(double rho) {
  // Late is about every twentieth.
  return test::scenario_of("resnet50")
      .bounds(false)
      .slo_unloaded_multiple(rho < 0.7 ? 3 : 15)
      .poisson(Rate::rho(rho))
      .system("serial")
      .build();
}

sim::Scenario dynamic_batching(double rate_hz, double slo_s) {
  return test::scenario_of("ee_resnet50")
      .bounds(false)
      .slo_s(slo_s)
      .poisson(Rate::hz(rate_hz))
      .exit_rates(test::kExampleRates)
      .system({.policy = "dynamic_batching", .parameters = {{"max_batch", 8}, {"max_queue_delay_ms", 15}}})
      .build();
}

sim::RunStatistics run(sim::Scenario& scenario, std::uint64_t seed, std::uint64_t measured) {
  scenario.seed = seed;
  scenario.length.requests = kWarmup + measured;
  scenario.warmup_requests = kWarmup;
  return sim::simulate(scenario, scenario.systems[0]);
}

struct Coverage {
  int printed = 0;
  int covering = 0;

  void add(double estimate, double half_width, double truth) {
    if (std::isnan(half_width)) return;
    ++printed;
    covering += std::abs(estimate - truth) <= half_width ? 1 : 0;
  }
  /// At least 90 % of those that are printed.
  [[nodiscard]] bool is_honest() const { return 10 * covering >= 9 * printed; }
  [[nodiscard]] std::string text() const {
    if (printed == 0) return "absent";
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%.3f of %d", static_cast<double>(covering) / printed, printed);
    return text.data();
  }
};

struct Cell {
  Coverage mean;
  Coverage late_share;
  Coverage p99;
};

Cell coverage(sim::Scenario& scenario, const Truth& truth, std::uint64_t measured, std::uint64_t seeds) {
  Cell cell;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const sim::RunStatistics s = run(scenario, seed, measured);
    cell.mean.add(s[Id::mean_latency], s[Id::mean_latency_ci95], truth.mean_s);
    cell.late_share.add(s[Id::slo_violation_rate], s[Id::slo_violation_rate_ci95], truth.late_share);
    cell.p99.add(s[Id::p99_latency], s[Id::p99_latency_ci95], truth.p99_s);
  }
  return cell;
}

}  // namespace

TEST_CASE("intervals of short runs cover the closed forms of M/D/1, or are absent", "[statistics]") {
  constexpr std::uint64_t kSeeds = 60;
  for (const double rho : {0.5, 0.9}) {
    sim::Scenario scenario = serial(rho);
    const Truth truth = md1_truth(rho, scenario.reference_latency_s, scenario.slo.latency_s);
    const Cell cell = coverage(scenario, truth, 5000, kSeeds);
    INFO("rho " << rho << ": mean " << cell.mean.text() << ", late " << cell.late_share.text() << ", p99 "
                << cell.p99.text());
    CHECK(cell.mean.is_honest());
    CHECK(cell.late_share.is_honest());
    CHECK(cell.p99.is_honest());
    CHECK(cell.mean.printed > 50);
    // At 0.9, fifty late requests are one or two long queues.
    CHECK((cell.p99.printed == 0) == (rho == 0.9));
  }
}

// Some 100 million requests; docs/update.py prints it.
TEST_CASE("coverage of the intervals, for docs/validation.md", "[.coverage]") {
  struct Case {
    const char* text;
    sim::Scenario scenario;
    double rho;  // of M/D/1; 0: the truth comes from one very long run
  };
  std::vector<Case> cases{{"serial, 50 %", serial(0.5), 0.5},
                          {"serial, 90 %", serial(0.9), 0.9},
                          {"dynamic_batching, 50 %", dynamic_batching(30.5, 0.08), 0},
                          {"dynamic_batching, 90 %", dynamic_batching(65.4, 0.17), 0},
                          {"dynamic_batching, 93 %", dynamic_batching(69.7, 0.2), 0}};
  std::printf("| system, busy | requests | mean | SLO violation rate | p99 |\n|---|---|---|---|---|\n");
  for (Case& c : cases) {
    Truth truth = md1_truth(c.rho, c.scenario.reference_latency_s, c.scenario.slo.latency_s);
    if (c.rho == 0) {
      const sim::RunStatistics s = run(c.scenario, 12345, 20'000'000);
      truth = {.mean_s = s[Id::mean_latency],
               .late_share = s[Id::slo_violation_rate],
               .p99_s = s[Id::p99_latency]};
    }
    for (const std::uint64_t measured : {5'000U, 20'000U, 100'000U}) {
      const Cell cell = coverage(c.scenario, truth, measured, 200);
      std::printf("| %s | %ju | %s | %s | %s |\n", c.text, static_cast<std::uintmax_t>(measured),
                  cell.mean.text().c_str(), cell.late_share.text().c_str(), cell.p99.text().c_str());
      INFO(c.text << ", " << measured);
      CHECK(cell.mean.is_honest());
      CHECK(cell.late_share.is_honest());
      CHECK(cell.p99.is_honest());
    }
  }
}
