#include "sim/percentiles.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace fluidbatch::sim {
namespace {

/// Numbers values by bucket: exponent and first 8 bits of the mantissa, which are in the order of the values
/// where those are not negative. A bucket is 0.4 % wide, and coarser where the values spread over more than
/// 16 bits of buckets.
class Buckets {
 public:
  explicit Buckets(std::span<const double> values) {
    const auto [least, largest] = std::ranges::minmax(values);
    const auto range = [&] { return (bits(largest) >> shift_) - (bits(least) >> shift_); };
    while (range() >= kMost) ++shift_;
    first_ = bits(least) >> shift_;
    counts_.resize(range() + 1);
    for (const double value : values) ++counts_[of(value)];
  }

  [[nodiscard]] std::size_t size() const { return counts_.size(); }
  [[nodiscard]] std::size_t of(double value) const { return (bits(value) >> shift_) - first_; }
  [[nodiscard]] std::uint64_t count(std::size_t bucket) const { return counts_[bucket]; }

 private:
  static constexpr std::uint64_t kMost = 1U << 16U;
  static std::uint64_t bits(double value) { return std::bit_cast<std::uint64_t>(value); }

  unsigned shift_ = 44;
  std::uint64_t first_ = 0;
  std::vector<std::uint64_t> counts_;
};

}  // namespace

std::vector<double> percentiles(std::span<const double> values, std::span<const std::uint64_t> per_mille) {
  std::vector<double> found(per_mille.size(), std::numeric_limits<double>::quiet_NaN());
  if (values.empty()) return found;
  const Buckets buckets(values);
  std::vector<std::uint64_t> before(buckets.size() + 1);  // values in smaller buckets
  for (std::size_t i = 0; i < buckets.size(); ++i) before[i + 1] = before[i] + buckets.count(i);

  std::vector<char> wanted(buckets.size());
  const auto rank_of = [&](std::uint64_t thousandths) { return (thousandths * values.size() + 999) / 1000; };
  const auto bucket_with = [&](std::uint64_t rank) {
    return static_cast<std::size_t>(std::ranges::lower_bound(before, rank) - before.begin()) - 1;
  };
  std::size_t members = 0;
  for (const std::uint64_t thousandths : per_mille) {
    const std::size_t bucket = bucket_with(rank_of(thousandths));
    if (wanted[bucket] == 0) members += buckets.count(bucket);
    wanted[bucket] = 1;
  }
  std::vector<double> kept;
  kept.reserve(members);
  for (const double value : values) {
    if (wanted[buckets.of(value)] != 0) kept.push_back(value);
  }
  std::ranges::sort(kept);
  for (std::size_t i = 0; i < per_mille.size(); ++i) {
    const std::uint64_t rank = rank_of(per_mille[i]);
    const std::size_t bucket = bucket_with(rank);
    const auto begin = std::ranges::lower_bound(kept, bucket, {}, [&](double value) { return buckets.of(value); });
    found[i] = begin[static_cast<std::ptrdiff_t>(rank - before[bucket] - 1)];
  }
  return found;
}

double percentile(std::span<const double> values, std::uint64_t per_mille) {
  return percentiles(values, std::span(&per_mille, 1)).front();
}

}  // namespace fluidbatch::sim
