// Estimates of rare events against the exact tail of M/D/1: how often their intervals cover it, and their
// mean.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "sim/measure/run_watch.h"
#include "sim/tail/tail.h"
#include "tests/support/md1.h"
#include "tests/support/scenarios.h"

using namespace fluidbatch;
using workloads::Rate;

namespace {

/// The wait of M/D/1 with a service of 1 s. All terms are positive, so that tails have small relative errors.
class Md1 {
 public:
  explicit Md1(double rho) : rho_(rho) {
    // Stationary numbers in the system, as departures leave them: the flow up across each cut is that down.
    std::vector<double> arrivals_above;  // more than k in a service
    for (int k = 0; k <= kMost; ++k) arrivals_above.push_back(poisson_above(rho, k));
    std::vector<double> in_system{1 - rho};
    for (int n = 0; n < kMost; ++n) {
      double up = in_system[0] * above(arrivals_above, n);
      for (int i = 1; i <= n; ++i) up += above(in_system, i) * above(arrivals_above, n - i + 1);
      in_system.push_back(up / std::exp(-rho));
    }
    queue_above_.assign(in_system.size(), 0);
    for (int n = kMost - 2; n >= 0; --n) queue_above_[at(n)] = queue_above_[at(n + 1)] + in_system[at(n + 2)];
  }

  /// P(wait > t): a customer that comes waits for longer where, a wait of t later, more are left than come in
  /// what is missing to whole services (Franx, "A simple solution for the M/D/c waiting time distribution",
  /// 2001).
  [[nodiscard]] double wait_above(double t_s) const {
    const int services = static_cast<int>(std::floor(t_s)) + 1;
    const double missing = rho_ * (services - t_s);
    double sum = poisson_above(missing, services - 1);
    double term = std::exp(-missing);
    for (int j = 0; j < services; ++j) {
      sum += term * queue_above_[at(services - 1 - j)];
      term *= missing / (j + 1);
    }
    return sum;
  }
  [[nodiscard]] double latency_above(double t_s) const { return wait_above(t_s - 1); }
  /// Where that is `share`.
  [[nodiscard]] double latency_s(double share) const {
    double low_s = 1;
    double high_s = kMost / 2.0;
    while (high_s - low_s > 1e-12 * high_s) {
      const double middle_s = (low_s + high_s) / 2;
      (latency_above(middle_s) > share ? low_s : high_s) = middle_s;
    }
    return low_s;
  }

 private:
  static constexpr int kMost = 400;

  static std::size_t at(int i) { return static_cast<std::size_t>(i); }
  static double above(const std::vector<double>& values, int i) { return values[at(i)]; }
  /// P(Poisson of this mean > k).
  static double poisson_above(double mean, int k) {
    double term = std::exp(-mean);
    for (int i = 1; i <= k + 1; ++i) term *= mean / i;
    double sum = 0;
    for (int i = k + 2; term > 1e-20 * sum && i < k + 200; ++i) {
      sum += term;
      term *= mean / i;
    }
    return sum;
  }

  double rho_;
  std::vector<double> queue_above_;  // P(more than n wait)
};

/// The exponential that far tails are (Cramer and Lundberg).
double asymptotic_wait_above(double rho, double t_s) {
  double low = 0;
  double high = 2 / rho;
  while (std::exp(high) * rho < rho + high) high *= 2;
  for (int i = 0; i < 200; ++i) {  // the positive root of rho (e^x - 1) = x
    const double x = (low + high) / 2;
    (rho * std::expm1(x) < x ? low : high) = x;
  }
  return (1 - rho) / (rho * std::exp(high) - 1) * std::exp(-high * t_s);
}

/// What came out for many seeds.
struct Coverage {
  int seeds = 0;
  int rates_covered = 0;
  std::vector<int> quantiles_covered;
  int imprecise = 0;
  double mean = 0;        ///< of estimates over the truth
  double deviation = 0;   ///< of them
  double mean_error = 0;  ///< what the intervals take it for
  double events = 0;

  [[nodiscard]] std::string text() const {
    std::string quantiles;
    for (const int covered : quantiles_covered)
      quantiles += (quantiles.empty() ? "" : ", ") + std::to_string(covered);
    std::array<char, 200> text{};
    std::snprintf(text.data(), text.size(), "%d of %d | %s | %.4f | %.4f | %.4f | %.2g", rates_covered, seeds,
                  quantiles.c_str(), mean, deviation, mean_error, events);
    return text.data();
  }
};

/// An NPU at that load.
sim::Scenario one_npu(double rho, double slo_s) {
  return sim::ScenarioBuilder()
      .latencies_s({{1}})
      .poisson(Rate::hz(rho))
      .slo_s(slo_s)
      .bounds(false)
      .system("serial")
      .build();
}

/// Two of them, each of which gets half of the requests of two services, by lot: each is M/D/1 again.
sim::Scenario two_npus(double rho, double slo_s) {
  return sim::ScenarioBuilder()
      .latencies_s({{1}})
      .service({.name = "a"})
      .service({.name = "b"})
      .devices({{.arrivals = sim::poisson(Rate::hz(rho)), .service = 0},
                {.arrivals = sim::poisson(Rate::hz(rho)), .service = 1}})
      .slo_s(slo_s)
      .bounds(false)
      .system({.policy = "serial", .npus = {{.count = 2}}, .router = "random"})
      .build();
}

Coverage coverage(sim::Scenario scenario, double rho, const sim::TailOptions& options, int seeds) {
  const Md1 md1(rho);
  const double truth = md1.latency_above(scenario.least_slo_s());
  Coverage result;
  result.seeds = seeds;
  result.quantiles_covered.resize(options.quantiles.size());
  double squares = 0;
  for (int seed = 1; seed <= seeds; ++seed) {
    scenario.seed = static_cast<std::uint64_t>(seed);
    const sim::SystemTail tail = sim::estimate_tail(scenario, scenario.systems[0], options);
    const sim::TailEstimate& rate = tail.violation_rate;
    result.imprecise += tail.precise ? 0 : 1;
    result.rates_covered += rate.low <= truth && truth <= rate.high ? 1 : 0;
    for (std::size_t i = 0; i < tail.quantiles_s.size(); ++i) {
      const double share = 1 - options.quantiles[i];
      const sim::TailEstimate& latency_s = tail.quantiles_s[i];
      const bool covered =
          md1.latency_above(latency_s.low) >= share && share >= md1.latency_above(latency_s.high);
      result.quantiles_covered[i] += covered ? 1 : 0;
    }
    result.mean += rate.value / truth / seeds;
    squares += std::pow(rate.value / truth, 2) / seeds;
    result.mean_error += std::log(rate.high / rate.value) / 1.959963984540054 / seeds;
    result.events += static_cast<double>(tail.events) / seeds;
  }
  result.deviation = std::sqrt((squares - result.mean * result.mean) * seeds / (seeds - 1));
  return result;
}

}  // namespace

TEST_CASE("the exact tail of M/D/1 agrees with Erlang's sum and with its asymptote", "[tail]") {
  for (const double rho : {0.5, 0.65, 0.8}) {
    const Md1 md1(rho);
    CHECK(md1.wait_above(0) == Approx(rho).epsilon(1e-12));
    for (const double t_s : {0.3, 1.0, 1.7, 2.5, 4.2, 6.9}) {
      CHECK(md1.wait_above(t_s) == Approx(1 - test::md1_wait_cdf(t_s, rho, 1)).epsilon(1e-9));
    }
    for (const double share : {1e-6, 1e-9, 1e-12}) {
      const double t_s = md1.latency_s(share) - 1;
      CHECK(md1.wait_above(t_s) == Approx(share).epsilon(1e-9));
      CHECK(asymptotic_wait_above(rho, t_s) == Approx(share).epsilon(1e-6));
    }
  }
}

TEST_CASE("estimated tails cover the exact ones of M/D/1", "[tail]") {
  const Coverage c = coverage(one_npu(0.5, Md1(0.5).latency_s(7e-4)), 0.5,
                              {.precision = 0.25, .quantiles = {0.99, 0.999}}, 6);
  INFO(c.text());
  CHECK(c.rates_covered >= 4);  // fewer come once in 400 times, where it is 95 %
  CHECK(*std::ranges::min_element(c.quantiles_covered) >= 4);
  CHECK(std::abs(c.mean - 1) < 4 * c.mean_error / std::sqrt(c.seeds));
  CHECK(c.imprecise == 0);
}

TEST_CASE("an estimate ends where it is not wanted any more, here and in children", "[tail]") {
  const sim::Scenario scenario = one_npu(0.5, Md1(0.5).latency_s(7e-4));
  for (const int jobs : {1, 2}) {
    for (const bool at_once : {true, false}) {
      sim::RunWatch watch;
      watch.stop = at_once;
      int told = 0;
      const auto stop_later = [&](std::uint64_t /*events*/) { watch.stop = ++told >= 2; };
      CHECK_THROWS_AS(
          sim::estimate_tail(scenario, scenario.systems[0],
                             {.precision = 0.01, .jobs = jobs, .progress = stop_later, .watch = &watch}),
          sim::RunStopped);
      CHECK(told == (at_once ? 0 : 2));
    }
  }
}

TEST_CASE("estimated tails of three orders cover the exact ones of M/D/1", "[.release][tail]") {
  for (const double truth : {7e-4, 1.4e-5, 2.6e-7}) {
    const Coverage c = coverage(one_npu(0.5, Md1(0.5).latency_s(truth)), 0.5, {.precision = 0.2}, 12);
    INFO(truth << ": " << c.text());
    CHECK(c.rates_covered >= 9);  // likewise
    CHECK(*std::ranges::min_element(c.quantiles_covered) >= 9);
    CHECK(std::abs(c.mean - 1) < 4 * c.mean_error / std::sqrt(c.seeds));
    CHECK(c.deviation == Approx(c.mean_error).epsilon(0.65));
    CHECK(c.imprecise == 0);
  }
}

TEST_CASE("estimated tails of a site cover the exact ones of M/D/1", "[.release][tail][site]") {
  const Coverage c = coverage(two_npus(0.5, Md1(0.5).latency_s(1.4e-5)), 0.5,
                              {.precision = 0.2, .quantiles = {0.999, 0.9999}}, 12);
  INFO(c.text());
  CHECK(c.rates_covered >= 9);  // likewise
  CHECK(*std::ranges::min_element(c.quantiles_covered) >= 9);
  CHECK(std::abs(c.mean - 1) < 4 * c.mean_error / std::sqrt(c.seeds));
  CHECK(c.imprecise == 0);
}

// Thousands of estimates; docs/validation.md has what it prints.
TEST_CASE("coverage of estimated tails, for docs/validation.md", "[.tails]") {
  constexpr int kSeeds = 100;
  std::printf(
      "| load | SLO violation rate | covered | quantiles covered | mean | deviation | of the intervals "
      "| events |\n");
  for (const double rho : {0.5, 0.65, 0.8}) {
    for (const double truth : {7e-4, 1.4e-5, 2.6e-7}) {
      const Coverage c = coverage(one_npu(rho, Md1(rho).latency_s(truth)), rho, {.precision = 0.1}, kSeeds);
      std::printf("| %g | %g | %s |\n", rho, truth, c.text().c_str());
      std::fflush(stdout);
      INFO(rho << ", " << truth << ": " << c.text());
      CHECK(c.rates_covered >= 90);
      CHECK(std::abs(c.mean - 1) < 0.02);
    }
  }
}
