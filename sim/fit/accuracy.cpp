#include "sim/fit/accuracy.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

namespace fluidbatch::sim {
namespace {

/// Twice the rank of each value, from 0, which is a whole number also where equal values share the mean.
std::vector<double> doubled_ranks(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin + 1;
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    for (std::size_t i = begin; i < end; ++i) ranks[order[i]] = static_cast<double>(begin + end - 1);
    begin = end;
  }
  return ranks;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

}  // namespace

double rank_correlation(std::span<const double> a, std::span<const double> b) {
  const std::vector<double> x = doubled_ranks(a);
  const std::vector<double> y = doubled_ranks(b);
  const double mean = static_cast<double>(a.size()) - 1;  // of doubled ranks, on both sides
  double xx = 0;
  double yy = 0;
  double xy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xx += (x[i] - mean) * (x[i] - mean);
    yy += (y[i] - mean) * (y[i] - mean);
    xy += (x[i] - mean) * (y[i] - mean);
  }
  if (xx == 0 || yy == 0) return std::numeric_limits<double>::quiet_NaN();
  return xy / std::sqrt(xx * yy);
}

Accuracy accuracy_of(std::span<const double> measured, std::span<const double> modelled) {
  std::vector<double> errors;
  errors.reserve(measured.size());
  for (std::size_t i = 0; i < measured.size(); ++i) {
    errors.push_back(std::abs(modelled[i] / measured[i] - 1));
  }
  return {.rows = errors.size(),
          .median_error = median(errors),
          .largest_error = *std::max_element(errors.begin(), errors.end()),
          .rank_correlation = rank_correlation(measured, modelled)};
}

}  // namespace fluidbatch::sim
