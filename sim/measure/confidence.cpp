#include "sim/measure/confidence.h"

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <limits>
#include <vector>

namespace fluidbatch::sim {
namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

}  // namespace

double students_t(double freedom) {
  constexpr double kUpper = 0.975;
  return boost::math::quantile(boost::math::students_t(freedom), kUpper);
}

Interval mean_interval(std::span<const double> values) {
  const auto n = static_cast<double>(values.size());
  double mean = 0;
  for (const double value : values) mean += value / n;
  if (values.size() < 2) return {.mean = values.empty() ? kUndefined : mean, .half_width = kUndefined};
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return {.mean = mean, .half_width = students_t(n - 1) * std::sqrt(squares / (n - 1) / n)};
}

RatioInterval paired_ratio(std::span<const double> values, std::span<const double> bases) {
  const double base = mean_interval(bases).mean;
  if (!(base > 0) || values.size() != bases.size()) return {kUndefined, kUndefined, kUndefined};
  const double ratio = mean_interval(values).mean / base;
  std::vector<double> residuals;
  for (std::size_t i = 0; i < values.size(); ++i) residuals.push_back(values[i] - ratio * bases[i]);
  const double half_width = mean_interval(residuals).half_width / base;
  // In this order NaN stays NaN.
  return {.ratio = ratio, .low = std::max(ratio - half_width, 0.0), .high = ratio + half_width};
}

double none_of(double requests) { return 3 / requests; }

double none_against(double requests, double base_count, double base_requests) {
  constexpr double kOneIn = 20;  // 5 %
  return base_requests / requests * std::expm1(std::log(kOneIn) / base_count);
}

bool surely_holds(std::uint64_t requests, std::uint64_t late, double allowed, double confidence) {
  if (late >= requests) return false;
  const boost::math::binomial distribution(static_cast<double>(requests), allowed);
  return boost::math::cdf(distribution, static_cast<double>(late)) <= 1 - confidence;
}

bool surely_exceeds(std::uint64_t requests, std::uint64_t late, double allowed, double confidence) {
  if (late == 0 || late > requests) return false;
  const boost::math::binomial distribution(static_cast<double>(requests), allowed);
  const double at_least =
      boost::math::cdf(boost::math::complement(distribution, static_cast<double>(late) - 1));
  return at_least <= 1 - confidence;
}

std::uint64_t least_requests(std::uint64_t late, double allowed, double confidence) {
  std::uint64_t enough = late + 1;
  while (!surely_holds(enough, late, allowed, confidence)) enough *= 2;
  std::uint64_t few = enough / 2;
  while (enough - few > 1) {
    const std::uint64_t middle = few + (enough - few) / 2;
    (surely_holds(middle, late, allowed, confidence) ? enough : few) = middle;
  }
  return enough;
}

}  // namespace fluidbatch::sim
