// Exact percentiles of many values without sorting them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace fluidbatch::sim {

/// Bounds of values, as close as they may be.
struct Extremes {
  double least = 0;
  double largest = 0;
};

/// The smallest value that at least so many thousandths of all do not exceed (nearest rank), for each of
/// `per_mille`; NaN where there are no values. Values must be finite and not negative. They are counted into
/// narrow buckets, and only those buckets in which a wanted rank lies are looked at again, so that it takes
/// two passes whatever the number of percentiles. `extremes` are those of the values. Precondition:
/// 0 < per mille <= 1000.
std::vector<double> percentiles(std::span<const double> values, const Extremes& extremes,
                                std::span<const std::uint64_t> per_mille);

/// Part `index` of `parts`: the values are cut so that no two parts differ by more than one in size.
inline std::span<const double> part_of(std::span<const double> values, std::size_t index, std::size_t parts) {
  const std::size_t begin = index * values.size() / parts;
  return values.subspan(begin, (index + 1) * values.size() / parts - begin);
}

}  // namespace fluidbatch::sim
