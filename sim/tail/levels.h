// Where branches split.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace fluidbatch::sim {

/// Level i (from 1) is reached where the importance is at least `thresholds_s[i - 1]`; a branch that reaches
/// it goes on as `factors[i - 1]` branches. Level 0 is everywhere else.
struct Levels {
  std::vector<double> thresholds_s;  ///< rising
  std::vector<int> factors;          ///< at least 1

  [[nodiscard]] std::size_t size() const { return thresholds_s.size(); }
  /// The highest level that is reached with `importance_s`.
  [[nodiscard]] std::size_t of(double importance_s) const {
    const auto above = std::upper_bound(thresholds_s.begin(), thresholds_s.end(), importance_s);
    return static_cast<std::size_t>(above - thresholds_s.begin());
  }
  /// What one branch at `level` stands for: one over the product of the factors up to it.
  [[nodiscard]] double weight(std::size_t level) const {
    double product = 1;
    for (std::size_t i = 0; i < level; ++i) product *= factors[i];
    return 1 / product;
  }
};

}  // namespace fluidbatch::sim
