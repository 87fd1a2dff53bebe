// How many requests at the start of a run are not of its steady state: MSER-5.
#pragma once

#include <cstdint>
#include <span>

namespace fluidbatch::sim {

/// What MSER-5 finds.
struct Warmup {
  std::uint64_t requests = 0;  ///< the first ones, which are to be left out
  /// The least error lies at the end of what is looked at: the run is too short to tell where its steady
  /// state begins, or has none.
  bool at_end = false;
};

/// MSER-5 (White, An Effective Truncation Heuristic for Bias Reduction in Simulation Output, Simulation 69,
/// 1997; White, Cobb and Spratt, Proc. Winter Simulation Conference, 2000): of the means Z_0 .. Z_(n-1) of
/// five consecutive latencies the first d are left out, with d the least that minimises the squared standard
/// error of the mean of the rest, sum over i >= d of (Z_i - mean)^2 / (n - d)^2. Only d <= n/2 is
/// looked at, since few means at the end may be alike by chance.
///
/// `latencies_s`: of all requests, in order of their number; dropped ones (infinity) are passed over. Fewer
/// than two means have no warm-up.
Warmup mser5(std::span<const double> latencies_s);

}  // namespace fluidbatch::sim
