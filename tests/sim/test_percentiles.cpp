// Percentiles by counting against sorting.
#include <algorithm>
#include <cmath>
#include <random>

#include <catch2/catch.hpp>

#include "sim/measure/percentiles.h"

using namespace fluidbatch;

namespace {

/// Nearest rank, as in the books.
double by_sorting(std::vector<double> values, std::uint64_t per_mille) {
  std::sort(values.begin(), values.end());
  const double rank =
      std::ceil(static_cast<double>(per_mille) * static_cast<double>(values.size()) / 1000 - 1e-9);
  return values[static_cast<std::size_t>(rank) - 1];
}

void check(const std::vector<double>& values) {
  const std::vector<std::uint64_t> wanted{500, 1, 900, 950, 990, 999, 1000, 500};
  const auto [least, largest] = std::minmax_element(values.begin(), values.end());
  const sim::Extremes extremes{.least = *least, .largest = *largest};
  const std::vector<double> found = sim::percentiles(values, extremes, wanted);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    CHECK(found[i] == by_sorting(values, wanted[i]));
    CHECK(sim::percentiles(values, extremes, std::span(&wanted[i], 1)).front() == found[i]);
  }
}

}  // namespace

TEST_CASE("percentiles are those of the sorted values", "[statistics]") {
  std::mt19937 random(7);
  std::exponential_distribution<double> exponential(3);
  for (const std::size_t size : {1U, 2U, 3U, 10U, 999U, 1000U, 1001U, 20000U}) {
    INFO(size);
    std::vector<double> latencies(size);
    for (double& value : latencies) value = 0.01 + exponential(random);
    check(latencies);
    // Over three hundred powers of ten, zeros among them.
    std::vector<double> wide(size);
    for (double& value : wide)
      value = random() % 5 == 0 ? 0 : std::pow(10, std::uniform_real_distribution<>(-150, 150)(random));
    check(wide);
    // All in one bucket, many equal.
    std::vector<double> narrow(size);
    for (double& value : narrow) value = 1 + 1e-15 * static_cast<double>(random() % 7);
    check(narrow);
    check(std::vector<double>(size, 0.25));
    check(std::vector<double>(size, 0.0));
  }
  const std::vector<std::uint64_t> median{500};
  CHECK(std::isnan(sim::percentiles({}, {}, median).front()));
}
