// Means of what a run gives, with an interval that a closed form must be in.
#pragma once

#include <cmath>
#include <cstddef>
#include <numeric>
#include <vector>

namespace fluidbatch::test {

struct Interval {
  double mean = 0;
  double half_width = 0;

  [[nodiscard]] bool has(double value) const { return std::abs(value - mean) <= half_width; }
};

/// Mean and 99 % half-width by 32 batch means, after a warm-up of a tenth. `values`: of requests in their
/// order, at least 36 of them.
inline Interval batch_means(const std::vector<double>& values) {
  constexpr std::size_t kBatches = 32;
  constexpr double kStudentT31 = 2.7440;  // 99.5 % quantile, 31 degrees of freedom
  const std::size_t skipped = values.size() / 10;
  const std::size_t size = (values.size() - skipped) / kBatches;
  std::vector<double> means;
  for (std::size_t b = 0; b < kBatches; ++b) {
    const double* first = values.data() + skipped + b * size;
    means.push_back(std::accumulate(first, first + size, 0.0) / static_cast<double>(size));
  }
  const double mean = std::accumulate(means.begin(), means.end(), 0.0) / kBatches;
  double squares = 0;
  for (const double m : means) squares += (m - mean) * (m - mean);
  return {mean, kStudentT31 * std::sqrt(squares / (kBatches - 1) / kBatches)};
}

}  // namespace fluidbatch::test
