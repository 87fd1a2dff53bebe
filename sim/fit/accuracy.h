// How well a model's latencies agree with measured ones.
#pragma once

#include <cstddef>
#include <span>

namespace fluidbatch::sim {

struct Accuracy {
  std::size_t rows = 0;
  double median_error = 0;      ///< of |modelled / measured - 1|
  double largest_error = 0;     ///< of the same
  double rank_correlation = 0;  ///< NaN where it is not defined
};

/// Preconditions: as many of one as of the other, at least one; measured ones above 0.
Accuracy accuracy_of(std::span<const double> measured, std::span<const double> modelled);

/// Spearman's rank correlation: Pearson's of the ranks, where equal values share the mean of theirs. NaN
/// where one side has no two different values.
double rank_correlation(std::span<const double> a, std::span<const double> b);

}  // namespace fluidbatch::sim
