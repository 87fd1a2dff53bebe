#include "sim/tail/latency_histogram.h"

#include <algorithm>
#include <bit>

namespace fluidbatch::sim {
namespace {

constexpr unsigned kShift = 52 - 10;
constexpr double kLeast_s = 1e-12;  // all that is smaller shares a bucket

}  // namespace

std::size_t LatencyHistogram::index_of(double latency_s) {
  return std::bit_cast<std::uint64_t>(std::max(latency_s, kLeast_s)) >> kShift;
}

void LatencyHistogram::make_room(std::size_t index) {
  if (weights_.empty()) first_ = index;
  const std::size_t first = std::min<std::size_t>(first_, index);
  const std::size_t end = std::max<std::size_t>(first_ + weights_.size(), index + 1);
  const auto grow = [&](std::vector<double>& values, double value) {
    values.insert(values.begin(), first_ - first, value);
    values.resize(end - first, value);
  };
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  grow(weights_, 0);
  grow(least_s_, kInfinity);
  grow(largest_s_, -kInfinity);
  first_ = first;
}

void LatencyHistogram::add(const LatencyHistogram& other) {
  if (other.weights_.empty()) return;
  make_room(other.first_);
  make_room(other.first_ + other.weights_.size() - 1);
  for (std::size_t i = 0; i < other.weights_.size(); ++i) {
    const std::size_t mine = other.first_ - first_ + i;
    weights_[mine] += other.weights_[i];
    least_s_[mine] = std::min(least_s_[mine], other.least_s_[i]);
    largest_s_[mine] = std::max(largest_s_[mine], other.largest_s_[i]);
  }
}

double LatencyHistogram::from_index(std::size_t index) const {
  double sum = 0;
  for (std::size_t i = weights_.size(); i-- > 0 && first_ + i >= index;) sum += weights_[i];
  return sum;
}

double LatencyHistogram::at_least(double value_s) const { return from_index(index_of(value_s)); }

double LatencyHistogram::above(double value_s) const {
  const std::size_t index = index_of(value_s);
  const double sum = from_index(index + 1);
  if (weights_.empty() || index < first_ || index >= first_ + weights_.size()) return sum;
  const std::size_t i = index - first_;
  if (!(largest_s_[i] > least_s_[i])) return sum + (value_s < least_s_[i] ? weights_[i] : 0);
  const double share = (largest_s_[i] - value_s) / (largest_s_[i] - least_s_[i]);
  return sum + weights_[i] * std::clamp(share, 0.0, 1.0);
}

double LatencyHistogram::value_below(double weight) const {
  double value_s = std::numeric_limits<double>::quiet_NaN();
  for (std::size_t i = weights_.size(); i-- > 0;) {
    if (weights_[i] == 0) continue;
    if (weights_[i] >= weight) {
      return largest_s_[i] - (largest_s_[i] - least_s_[i]) * std::max(weight, 0.0) / weights_[i];
    }
    weight -= weights_[i];
    value_s = least_s_[i];
  }
  return value_s;
}

}  // namespace fluidbatch::sim
