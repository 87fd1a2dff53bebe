// Estimates of rare events against runs of a thousand million requests, which see them as they come.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "sim/run/simulation.h"
#include "sim/tail/tail.h"
#include "tests/support/scenarios.h"

using namespace fluidbatch;
using Id = sim::StatisticId;
using workloads::Rate;

namespace {

constexpr std::uint64_t kParts = 100;
constexpr std::uint64_t kPartRequests = 10'000'000;
constexpr double kNormal = 1.959963984540054;

/// Mean of numbers that are independent, and its standard error.
struct Mean {
  double value = 0;
  double error = 0;
};

Mean mean_of(const std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  double sum = 0;
  for (const double value : values) sum += value;
  double squares = 0;
  for (const double value : values) squares += (value - sum / n) * (value - sum / n);
  return {.value = sum / n, .error = std::sqrt(squares / (n - 1) / n)};
}

struct Crude {
  Mean violation_rate;
  Mean p999_s;
};

/// Counts, in independent runs; tells of each, since all of them take long.
Crude crude_simulation(sim::Scenario scenario) {
  scenario.length.requests = kPartRequests;
  std::vector<double> rates;
  std::vector<double> p999_s;
  for (std::uint64_t part = 0; part < kParts; ++part) {
    scenario.seed = 1'000'000 + part;
    const sim::RunStatistics statistics = sim::simulate(scenario, scenario.systems[0]);
    rates.push_back(statistics[Id::slo_violation_rate]);
    p999_s.push_back(statistics[Id::p99_9_latency]);
    std::printf("part %ju: %.0f late\n", static_cast<std::uintmax_t>(part),
                rates.back() * static_cast<double>(kPartRequests));
    std::fflush(stdout);
  }
  return {.violation_rate = mean_of(rates), .p999_s = mean_of(p999_s)};
}

/// How far two means are apart, in standard errors of their difference.
double distance(const Mean& a, const Mean& b) { return (a.value - b.value) / std::hypot(a.error, b.error); }

/// Its interval is symmetric in the logarithm.
Mean as_mean(const sim::TailEstimate& estimate) {
  return {.value = estimate.value, .error = (estimate.high - estimate.low) / 2 / kNormal};
}

void check(const char* policy, double slo_unloaded_multiple) {
  const sim::Scenario scenario =
      test::scenario_of("ee_resnet50")
          .bounds(false)
          .slo_unloaded_multiple(slo_unloaded_multiple)
          .poisson(Rate::rho(1))
          .exit_rates(test::kExampleRates)
          .system({.policy = policy, .parameters = {{"max_batch", 8}}, .npu_mode = npu::Mode::fluid_stacked})
          .build();
  const sim::SystemTail tail =
      sim::estimate_tail(scenario, scenario.systems[0], {.precision = 0.04, .quantiles = {0.999}});
  const sim::TailEstimate& rate = tail.violation_rate;
  const sim::TailEstimate& p999_s = tail.quantiles_s.front();
  std::printf("%s: estimate %.4g [%.4g, %.4g] by %.3g events; p99.9 %.6g [%.6g, %.6g] s\n", policy,
              rate.value, rate.low, rate.high, static_cast<double>(tail.events), p999_s.value, p999_s.low,
              p999_s.high);
  const Crude crude = crude_simulation(scenario);
  const double half_width = kNormal * crude.violation_rate.error;
  const double rate_distance = distance(as_mean(rate), crude.violation_rate);
  const double p999_distance = distance(as_mean(p999_s), crude.p999_s);
  std::printf(
      "%s: crude %.4g +- %.2g, the estimate %+.2f standard errors from it; p99.9 %.6g +- %.2g s, %+.2f\n",
      policy, crude.violation_rate.value, half_width, rate_distance, crude.p999_s.value,
      kNormal * crude.p999_s.error, p999_distance);
  CHECK(tail.precise);
  CHECK(crude.violation_rate.value * static_cast<double>(kParts * kPartRequests) > 500);  // late requests
  CHECK(std::abs(rate.value - crude.violation_rate.value) <= half_width);
  CHECK(std::abs(rate_distance) < kNormal);
  CHECK(std::abs(p999_distance) < 3);
}

}  // namespace

TEST_CASE("one request in a million is late: greedy batching, estimated and counted", "[.crude]") {
  check("dynamic_batching", 3.45);
}

TEST_CASE("one request in a million is late: exit_aware, estimated and counted", "[.crude]") {
  check("exit_aware", 3.32);
}

TEST_CASE("one request in a million is late: lazy_batching, estimated and counted", "[.crude]") {
  check("lazy_batching", 3.43);
}
