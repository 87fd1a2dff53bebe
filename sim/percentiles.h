// Exact percentiles of many values without sorting them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace fluidbatch::sim {

/// For each of `per_mille`: the smallest value that at least so many thousandths of all do not exceed
/// (nearest rank); NaN where there are no values. Values must be finite and not negative. They are counted
/// into narrow buckets, and only those buckets in which a wanted rank lies are looked at again, so that it
/// takes three passes whatever the number of percentiles. Precondition: 0 < per mille <= 1000.
std::vector<double> percentiles(std::span<const double> values, std::span<const std::uint64_t> per_mille);

/// One of them.
double percentile(std::span<const double> values, std::uint64_t per_mille);

}  // namespace fluidbatch::sim
