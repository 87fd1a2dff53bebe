// The distribution of weighted latencies, in buckets that are narrow beside any interval.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <vector>

namespace fluidbatch::sim {

/// Weights of latencies, in buckets that are 0.1 % wide (exponent and first 10 bits of the mantissa). Each
/// knows its least and its largest value, so that a value that many latencies share is exact.
class LatencyHistogram {
 public:
  void add(double latency_s, double weight) {
    const std::size_t index = index_of(latency_s);
    if (index >= first_ + weights_.size() || index < first_) make_room(index);
    const std::size_t i = index - first_;
    weights_[i] += weight;
    if (latency_s < least_s_[i]) least_s_[i] = latency_s;
    if (latency_s > largest_s_[i]) largest_s_[i] = latency_s;
  }
  void add(const LatencyHistogram& other);

  /// The weight of all latencies above `value_s`, which within a bucket are taken as evenly spread.
  [[nodiscard]] double above(double value_s) const;
  /// The same from the bucket of `value_s` on.
  [[nodiscard]] double at_least(double value_s) const;
  /// The latency that latencies of this weight are above: the largest one where it is 0 or less, the least
  /// where it is more than all weigh; NaN where there are none.
  [[nodiscard]] double value_below(double weight) const;

  template <typename Self, typename Visit>
  requires std::same_as<std::remove_const_t<Self>, LatencyHistogram>
  friend void fields(Self& histogram, Visit& visit) {
    visit(histogram.first_, histogram.weights_, histogram.least_s_, histogram.largest_s_);
  }

 private:
  static std::size_t index_of(double latency_s);
  [[nodiscard]] double from_index(std::size_t index) const;
  void make_room(std::size_t index);

  std::uint64_t first_ = 0;  // index of the first bucket
  std::vector<double> weights_;
  std::vector<double> least_s_;  // of each bucket
  std::vector<double> largest_s_;
};

}  // namespace fluidbatch::sim
