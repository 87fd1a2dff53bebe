#include "sim/measure/percentiles.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace fluidbatch::sim {
namespace {

/// Numbers values by bucket: exponent and first 8 bits of the mantissa, which are in the order of the values
/// where those are not negative. A bucket is 0.4 % wide, and coarser where the values spread over more
/// buckets than are worth their room.
class Buckets {
 public:
  /// For `values` values between those extremes.
  Buckets(const Extremes& extremes, std::size_t values) {
    const std::uint64_t most = std::clamp<std::uint64_t>(values / 16, 1U << 8U, 1U << 16U);
    while ((bits(extremes.largest) >> shift_) - (bits(extremes.least) >> shift_) >= most) ++shift_;
    first_ = bits(extremes.least) >> shift_;
    size_ = of(extremes.largest) + 1;
  }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t of(double value) const { return (bits(value) >> shift_) - first_; }

 private:
  static std::uint64_t bits(double value) { return std::bit_cast<std::uint64_t>(value); }

  unsigned shift_ = 44;
  std::uint64_t first_ = 0;
  std::size_t size_ = 0;
};

/// Finds wanted ranks in a set of values: first their buckets, from the counts, then the values themselves,
/// among those that lie in such a bucket.
class Selection {
 public:
  explicit Selection(std::size_t buckets) : counts_(buckets) {}

  [[nodiscard]] std::vector<std::uint64_t>& counts() { return counts_; }

  /// To be called once all values are counted.
  void want(std::span<const std::uint64_t> per_mille) {
    std::vector<std::uint64_t> before(counts_.size() + 1);  // values in smaller buckets
    for (std::size_t i = 0; i < counts_.size(); ++i) before[i + 1] = before[i] + counts_[i];

    // Ranks and their buckets, the smallest first.
    wanted_.reserve(per_mille.size());
    for (std::size_t i = 0; i < per_mille.size(); ++i) {
      const std::uint64_t rank = (per_mille[i] * before.back() + 999) / 1000;
      const auto bucket =
          static_cast<std::size_t>(std::ranges::lower_bound(before, rank) - before.begin()) - 1;
      wanted_.push_back({.rank = rank, .bucket = bucket, .index = i});
    }
    std::ranges::sort(wanted_, {}, &Wanted::rank);

    std::uint64_t kept = 0;
    for (Wanted& one : wanted_) {
      if (buckets_.empty() || buckets_.back() != one.bucket) {
        buckets_.push_back(one.bucket);
        kept += counts_[one.bucket];
      }
      one.place = kept - (before[one.bucket + 1] - one.rank) - 1;
    }
    kept_.resize(kept + 1);
  }

  /// The buckets that wanted ranks lie in.
  [[nodiscard]] std::span<const std::size_t> buckets() const { return buckets_; }
  /// To be called for every value, `wanted` where it lies in one of those. Which do is anybody's guess, so
  /// there is no branch on it.
  void offer(double value, bool wanted) {
    kept_[kept_values_] = value;
    kept_values_ += wanted ? 1 : 0;
  }

  /// In the order in which they were asked for.
  std::vector<double> found() {
    std::vector<double> found(wanted_.size());
    auto begin = kept_.begin();  // what is before it is smaller than all that is still wanted, or equal
    for (const Wanted& one : wanted_) {
      const auto place = kept_.begin() + static_cast<std::ptrdiff_t>(one.place);
      std::nth_element(begin, place, kept_.begin() + static_cast<std::ptrdiff_t>(kept_values_));
      found[one.index] = *place;
      begin = place;
    }
    return found;
  }

 private:
  struct Wanted {
    std::uint64_t rank;       // from 1, of all values
    std::size_t bucket;       // that it lies in
    std::size_t index;        // of the percentile asked for
    std::uint64_t place = 0;  // from 0, of the values kept
  };

  std::vector<std::uint64_t> counts_;  // of values, by bucket
  std::vector<Wanted> wanted_;
  std::vector<std::size_t> buckets_;
  std::vector<double> kept_;  // with room for one more
  std::size_t kept_values_ = 0;
};

}  // namespace

std::vector<double> percentiles(std::span<const double> values, const Extremes& extremes,
                                std::span<const std::uint64_t> per_mille) {
  if (values.empty()) {
    std::vector<double> undefined(per_mille.size(), std::numeric_limits<double>::quiet_NaN());
    return undefined;
  }
  const Buckets buckets(extremes, values.size());
  Selection selection(buckets.size());
  for (const double value : values) ++selection.counts()[buckets.of(value)];
  selection.want(per_mille);
  std::vector<std::uint8_t> wanted(buckets.size());
  for (const std::size_t bucket : selection.buckets()) wanted[bucket] = 1;
  for (const double value : values) selection.offer(value, wanted[buckets.of(value)] != 0);
  return selection.found();
}

}  // namespace fluidbatch::sim
