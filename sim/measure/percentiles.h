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

/// Size of part `index` of `size` values cut into `parts`: no two parts differ by more than one.
inline std::size_t size_of_part(std::size_t size, std::size_t index, std::size_t parts) {
  return (index + 1) * size / parts - index * size / parts;
}

/// Part `index` of `parts`, of that size.
inline std::span<const double> part_of(std::span<const double> values, std::size_t index, std::size_t parts) {
  return values.subspan(index * values.size() / parts, size_of_part(values.size(), index, parts));
}

}  // namespace fluidbatch::sim
