// Intervals of one run against cases worked by hand, and against sorting.
#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <catch2/catch.hpp>

#include "sim/measure/confidence.h"
#include "sim/measure/run_intervals.h"

using namespace fluidbatch;
using sim::Absence;
using sim::kBatches;

namespace {

constexpr std::size_t kSize = 32'000;

/// 0, 1/32, 2/32, .. 999 31/32, of which each batch has every 32nd.
std::vector<double> evenly_spread() {
  std::vector<double> values;
  for (std::size_t batch = 0; batch < kBatches; ++batch) {
    for (std::size_t i = 0; i < kSize / kBatches; ++i)
      values.push_back(static_cast<double>(i) + static_cast<double>(batch) / kBatches);
  }
  return values;
}

/// A series of so many values, as good as `independent` of them.
sim::BatchedSeries series_of(std::size_t size, double independent) {
  sim::BatchedSeries series{.size = size, .mean = 500, .means = {}};
  for (std::size_t i = 0; i < kBatches; ++i) series.means[i] = 500 + static_cast<double>(i % 3);
  const double error = sim::mean_error(series.means).standard_error;
  series.variance = independent * error * error;
  return series;
}

/// By nearest rank, of the values of `evenly_spread`.
constexpr double kP92 = 29439 / 32.0;
constexpr double kP99 = 31679 / 32.0;
constexpr double kP999 = 31967 / 32.0;

std::vector<sim::HalfWidth> of_evenly_spread(double independent) {
  const std::vector<sim::UpperPercentile> wanted{{.share = 0.01, .value = kP99},
                                                 {.share = 0.001, .value = kP999}};
  return sim::upper_half_widths(evenly_spread(), kP92, wanted, series_of(kSize, independent));
}

double percentile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(std::ceil(q * static_cast<double>(values.size()) - 1e-9)) - 1];
}

std::size_t end_of(std::size_t batch, std::size_t batches, std::size_t size) {
  return (batch + 1) * size / batches;
}

/// Standard error of the mean of 32 numbers by `batches` unions of them, times Student's t.
double half_width_by(const std::vector<double>& numbers, std::size_t batches) {
  std::vector<double> means(batches);
  for (std::size_t i = 0; i < numbers.size(); ++i)
    means[i * batches / numbers.size()] +=
        numbers[i] * static_cast<double>(batches) / static_cast<double>(numbers.size());
  return sim::mean_interval(means).half_width;
}

/// The interval's definition in docs/metrics.md, with all values sorted.
double by_sorting(const std::vector<double>& values, double share, double value, double independent) {
  const auto n = static_cast<double>(values.size());
  std::vector<double> shares;
  for (std::size_t batch = 0, i = 0; batch < kBatches; ++batch) {
    const std::size_t begin = i;
    double above = 0;
    for (; i < end_of(batch, kBatches, values.size()); ++i) above += values[i] > value ? 1 : 0;
    shares.push_back(above / static_cast<double>(i - begin));
  }
  const double k = share * independent;
  const double h = std::max(std::max(half_width_by(shares, 32), half_width_by(shares, 16)) / share,
                            2 / std::sqrt(k) * (1 + 25 / (k * k)));
  std::vector<double> sorted = values;
  std::sort(sorted.begin(), sorted.end(), std::greater());
  const double from = percentile(values, 0.92);
  const auto low = static_cast<std::size_t>(std::ceil(share * n * std::exp(h)));
  const auto high = static_cast<std::size_t>(share * n * std::exp(-h));
  const double half_width = std::max(value - std::max(sorted[low], from), sorted[high] - value);
  if (k * std::exp(-h) >= 3) return half_width;
  double excess = 0;
  double kept = 0;
  for (const double one : values) {
    if (one <= from) continue;
    excess += one - from;
    ++kept;
  }
  return std::max(half_width, h * excess / kept * std::exp(2 / std::sqrt(0.08 * independent)));
}

}  // namespace

TEST_CASE("ranks of the intervals of p99 and p99.9, by hand", "[statistics]") {
  const std::vector<sim::HalfWidth> found = of_evenly_spread(kSize);
  // k = 320: 2 / sqrt(320) (1 + (5 / 320)^2) = 0.11183, and 320 times and over its exponential are 357.9 and
  // 286.1: ranks 359 and 287 from the top.
  CHECK(found[0].value == kP99 - (kSize - 359) / 32.0);
  CHECK(found[0].value > (kSize - 287) / 32.0 - kP99);
  // k = 32: 0.36218, 46.0 (below 46) and 22.3: ranks 47 and 23.
  CHECK(found[1].value == kP999 - (kSize - 47) / 32.0);
  CHECK(found[1].value > (kSize - 23) / 32.0 - kP999);
  const std::vector<sim::UpperPercentile> highest_first{{.share = 0.001, .value = kP999},
                                                        {.share = 0.01, .value = kP99}};
  const std::vector<sim::HalfWidth> again =
      sim::upper_half_widths(evenly_spread(), kP92, highest_first, series_of(kSize, kSize));
  CHECK(again[0].value == found[1].value);
  CHECK(again[1].value == found[0].value);
}

TEST_CASE("few independent values above a percentile: an exponential tail, or no interval", "[statistics]") {
  // N' = 500: 5 above p99, h = 2 x 2 / sqrt(5). 2560 values are above p92, by 40.015625 on average; they
  // count as 40. Of p99.9 there is half an independent value.
  const std::vector<sim::HalfWidth> found = of_evenly_spread(500);
  CHECK(found[0].value == Approx(4 / std::sqrt(5) * 40.015625 * std::exp(2 / std::sqrt(40))));
  CHECK(std::isnan(found[1].value));
  CHECK(found[1].absence == Absence::too_correlated);
  // N' = 770: h = 1.02466, and 7.7 over its exponential is 2.8. N' = 900: 0.87243 and 3.8, which is enough;
  // 320 times the exponential is 765.7.
  CHECK(of_evenly_spread(770)[0].value ==
        Approx(1.02466 * 40.015625 * std::exp(2 / std::sqrt(61.6))).epsilon(1e-5));
  CHECK(of_evenly_spread(900)[0].value == kP99 - (kSize - 767) / 32.0);
  CHECK(of_evenly_spread(401)[0].value > found[0].value);
  CHECK(of_evenly_spread(399)[0].absence == Absence::too_correlated);
  CHECK(of_evenly_spread(4001)[1].absence == Absence::none);
  CHECK(of_evenly_spread(3999)[1].absence == Absence::too_correlated);

  const std::vector<double> few(3999, 1.0);
  const std::vector<sim::UpperPercentile> p999{{.share = 0.001, .value = 1}};
  CHECK(sim::upper_half_widths(few, 1, p999, series_of(3999, 3999))[0].absence == Absence::too_few);
  const double none = std::numeric_limits<double>::quiet_NaN();
  CHECK(sim::upper_half_widths({}, none, p999, {})[0].absence == Absence::nothing);
  // All values the same: the percentile is known.
  const std::vector<double> same(kSize, 1.0);
  CHECK(sim::upper_half_widths(same, 1, p999, series_of(kSize, kSize))[0].value == 0);
}

TEST_CASE("intervals of p99 and p99.9 are those of the sorted values", "[statistics]") {
  std::mt19937 random(11);
  std::exponential_distribution<double> exponential(1);
  int extrapolated = 0;
  for (const std::size_t size : {5000U, 9999U, 40'001U}) {
    for (int repetition = 0; repetition < 10; ++repetition) {
      std::vector<double> values(size);
      double last = 1;  // correlated, and with clusters
      for (double& value : values)
        value = last = 0.7 * last + (repetition % 2 == 0 ? 0.3 : 0.1) * exponential(random);
      const std::vector<sim::UpperPercentile> wanted{{.share = 0.01, .value = percentile(values, 0.99)},
                                                     {.share = 0.001, .value = percentile(values, 0.999)}};
      const double independent = static_cast<double>(size) / (1 + repetition % 3);
      const std::vector<sim::HalfWidth> found =
          sim::upper_half_widths(values, percentile(values, 0.92), wanted, series_of(size, independent));
      for (std::size_t i = 0; i < wanted.size(); ++i) {
        INFO(size << ", repetition " << repetition << ", share " << wanted[i].share);
        const double k = wanted[i].share * independent;
        REQUIRE((found[i].absence == Absence::none) == (k >= 4));
        if (k < 4) continue;
        CHECK(found[i].value == Approx(by_sorting(values, wanted[i].share, wanted[i].value, independent)));
        extrapolated += k < 8 ? 1 : 0;
      }
    }
  }
  CHECK(extrapolated > 5);
}

TEST_CASE("the interval of a share, by hand", "[statistics]") {
  sim::BatchMeans shares{};
  shares.fill(0.05);
  const auto half_width = [&](double share, double independent) {
    return sim::share_half_width(share, shares, series_of(kSize, independent));
  };
  // N' = 2000: k = 100, h = 0.2 (1 + 1 / 400); the same on the other side of the bound.
  CHECK(half_width(0.05, 2000).value == Approx(0.05 * std::expm1(0.2005)));
  CHECK(half_width(0.95, 2000).value == Approx(0.05 * std::expm1(0.2005)));
  CHECK(half_width(0.05, 79).absence == Absence::too_correlated);
  // k = 4.5: h = 2.1, more than seven times the share.
  CHECK(half_width(0.05, 90).absence == Absence::too_correlated);
  // k = 8: h = 0.98.
  CHECK(half_width(0.05, 160).value == Approx(0.05 * std::expm1(2 / std::sqrt(8) * (1 + 25 / 64.0))));
  CHECK(half_width(0.0001, kSize).absence == Absence::too_few);
  // Half of the batches late, half not: their spread counts.
  for (std::size_t i = 0; i < kBatches; ++i) shares[i] = i % 2 == 0 ? 0.1 : 0;
  const std::vector<double> numbers(shares.begin(), shares.end());
  CHECK(half_width(0.05, 31'000).value ==
        Approx(0.05 * std::expm1(std::max(half_width_by(numbers, 32), half_width_by(numbers, 16)) / 0.05)));
}
