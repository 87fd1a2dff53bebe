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
    double least = values.front();
    double largest = values.front();
    for (const double value : values) {  // without branches, unlike std::ranges::minmax
      least = std::min(least, value);
      largest = std::max(largest, value);
    }
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

struct Wanted {
  std::uint64_t rank;       // from 1, of all values
  std::size_t bucket;       // that it lies in
  std::size_t index;        // of the percentile asked for
  std::uint64_t place = 0;  // from 0, of the values kept
};

}  // namespace

std::vector<double> percentiles(std::span<const double> values, std::span<const std::uint64_t> per_mille) {
  std::vector<double> found(per_mille.size(), std::numeric_limits<double>::quiet_NaN());
  if (values.empty()) return found;
  const Buckets buckets(values);
  std::vector<std::uint64_t> before(buckets.size() + 1);  // values in smaller buckets
  for (std::size_t i = 0; i < buckets.size(); ++i) before[i + 1] = before[i] + buckets.count(i);

  // Ranks and their buckets, the smallest first.
  std::vector<Wanted> wanted;
  wanted.reserve(per_mille.size());
  for (std::size_t i = 0; i < per_mille.size(); ++i) {
    const std::uint64_t rank = (per_mille[i] * values.size() + 999) / 1000;
    const auto bucket = static_cast<std::size_t>(std::ranges::lower_bound(before, rank) - before.begin()) - 1;
    wanted.push_back({.rank = rank, .bucket = bucket, .index = i});
  }
  std::ranges::sort(wanted, {}, &Wanted::rank);

  std::vector<char> is_wanted(buckets.size());
  std::uint64_t kept_values = 0;
  for (Wanted& one : wanted) {
    if (is_wanted[one.bucket] == 0) kept_values += buckets.count(one.bucket);
    is_wanted[one.bucket] = 1;
    one.place = kept_values - (before[one.bucket + 1] - one.rank) - 1;
  }
  std::vector<double> kept;
  kept.reserve(kept_values);
  for (const double value : values) {
    if (is_wanted[buckets.of(value)] != 0) kept.push_back(value);
  }
  auto begin = kept.begin();  // what is before it is smaller than all that is still wanted, or equal
  for (const Wanted& one : wanted) {
    const auto place = kept.begin() + static_cast<std::ptrdiff_t>(one.place);
    std::nth_element(begin, place, kept.end());
    found[one.index] = *place;
    begin = place;
  }
  return found;
}

double percentile(std::span<const double> values, std::uint64_t per_mille) {
  return percentiles(values, std::span(&per_mille, 1)).front();
}

}  // namespace fluidbatch::sim
