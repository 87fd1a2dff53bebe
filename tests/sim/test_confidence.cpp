// Intervals and the early-stopping rule against tables and hand-worked cases.
#include <cmath>
#include <vector>

#include <catch2/catch.hpp>

#include "sim/measure/confidence.h"

using namespace fluidbatch;

TEST_CASE("MLPerf's early-stopping rule: the published numbers of requests", "[sweep]") {
  CHECK(sim::least_requests(0, 0.01, 0.99) == 459);
  CHECK(sim::least_requests(0, 0.03, 0.99) == 152);
  CHECK(sim::least_requests(0, 0.10, 0.99) == 44);
  CHECK(sim::least_requests(1, 0.01, 0.99) == 662);
  CHECK(sim::least_requests(2, 0.01, 0.99) == 838);
  CHECK(sim::least_requests(10, 0.01, 0.99) == 2010);
  CHECK(sim::surely_holds(459, 0, 0.01, 0.99));
  CHECK_FALSE(sim::surely_holds(458, 0, 0.01, 0.99));
  CHECK_FALSE(sim::surely_holds(459, 1, 0.01, 0.99));
  CHECK_FALSE(sim::surely_holds(10, 10, 0.5, 0.99));
  // By the binomial sum itself.
  const auto tail = [](int n, int late, double p) {
    double sum = 0;
    double term = std::pow(1 - p, n);
    for (int k = 0; k <= late; ++k) {
      sum += term;
      term *= static_cast<double>(n - k) / (k + 1) * p / (1 - p);
    }
    return sum;
  };
  for (const int n : {500, 1000, 3000}) {
    for (int late = 0; late < 40; ++late) {
      CHECK(sim::surely_holds(static_cast<std::uint64_t>(n), static_cast<std::uint64_t>(late), 0.01, 0.99) ==
            (tail(n, late, 0.01) <= 0.01));
      CHECK(sim::surely_exceeds(static_cast<std::uint64_t>(n), static_cast<std::uint64_t>(late), 0.01,
                                0.99) == (late > 0 && 1 - tail(n, late - 1, 0.01) <= 0.01));
    }
  }
}

TEST_CASE("intervals by hand", "[sweep]") {
  // Mean 3, standard deviation 1, n 3: t(2, 97.5 %) = 4.30265.
  const std::vector<double> values{2, 3, 4};
  CHECK(sim::mean_interval(values).mean == 3);
  CHECK(sim::mean_interval(values).half_width == Approx(4.302652729911275 / std::sqrt(3)));
  CHECK(std::isnan(sim::mean_interval(std::vector<double>{5}).half_width));
  CHECK(std::isnan(sim::mean_interval(std::vector<double>{}).mean));
  // Pairs that are in a fixed ratio have an interval of no width, however they vary.
  const std::vector<double> bases{1, 10, 4};
  const sim::RatioInterval exact = sim::paired_ratio(std::vector<double>{2, 20, 8}, bases);
  CHECK(exact.ratio == Approx(2));
  CHECK(exact.low == Approx(2));
  CHECK(exact.high == Approx(2));
  // Zeros count: a system that is never late where the base is.
  const sim::RatioInterval never = sim::paired_ratio(std::vector<double>{0, 0, 0}, bases);
  CHECK(never.ratio == 0);
  CHECK(never.low == 0);
  CHECK(std::isnan(sim::paired_ratio(bases, std::vector<double>{0, 0, 0}).ratio));
  const sim::RatioInterval one_pair = sim::paired_ratio(std::vector<double>{3}, std::vector<double>{2});
  CHECK(one_pair.ratio == 1.5);
  CHECK(std::isnan(one_pair.low));
  CHECK(std::isnan(one_pair.high));
}

TEST_CASE("none of many requests: the rule of three", "[sweep]") {
  // Against (1 - p)^n = 0.05, which it is an upper bound of.
  for (const double n : {100.0, 1000.0, 1e6}) {
    const double exact = 1 - std::pow(0.05, 1 / n);
    CHECK(sim::none_of(n) > exact);
    CHECK(sim::none_of(n) == Approx(exact).epsilon(0.02));
  }
  // Against the binomial of the base's share of both counts: all `count` are the base's.
  for (const double count : {1.0, 5.0, 200.0}) {
    const double ratio = sim::none_against(1000, count, 3000);
    CHECK(std::pow(3000 / (3000 + 1000 * ratio), count) == Approx(0.05));
  }
  CHECK(sim::none_against(1000, 500, 1000) == Approx(3.0 / 500).epsilon(0.01));
}
