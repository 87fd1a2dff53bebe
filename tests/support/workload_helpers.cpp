#include "tests/support/workload_helpers.h"

#include <algorithm>
#include <cmath>

namespace fluidbatch::test {

double kolmogorov(std::vector<double> draws, const std::function<double(double)>& distribution) {
  std::sort(draws.begin(), draws.end());
  const auto n = static_cast<double>(draws.size());
  double largest = 0;
  for (std::size_t i = 0; i < draws.size(); ++i) {
    const double f = distribution(draws[i]);
    const auto below = static_cast<double>(i);
    largest = std::max({largest, f - below / n, (below + 1) / n - f});
  }
  return largest * std::sqrt(n);
}

}  // namespace fluidbatch::test
