#include "sim/measure/run_intervals.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "sim/measure/percentiles.h"

namespace fluidbatch::sim {
namespace {

// 97.5 % quantiles of Student's t, by degrees of freedom.
constexpr double kStudentT31 = 2.0395134463964077;
constexpr double kStudentT15 = 2.1314495455597742;
constexpr double kStudentT3 = 3.1824463052837091;

/// Below, a mean has no interval: a run that drifts has about three.
constexpr double kLeastIndependent = 6;

// Of k independent values above a bound, the logarithm of their number has a standard error of 1 / sqrt(k).
// A run that happened to see no long queue looks less correlated than it is, so that its k is too large; a
// few less, and none below a least number, make up for it.
constexpr double kLeastAbove = 8;
constexpr double kTakenOff = 7;
constexpr double kWidest = 2;  // over sqrt(kLeastAbove - kTakenOff)

struct Spread {
  double standard_error;
  bool correlated;
};

Spread spread_of(std::span<const double> means) {
  const auto n = static_cast<double>(means.size());
  const double mean = std::accumulate(means.begin(), means.end(), 0.0) / n;
  double squares = 0;
  double steps = 0;
  for (std::size_t i = 0; i < means.size(); ++i) {
    squares += (means[i] - mean) * (means[i] - mean);
    if (i > 0) steps += (means[i] - means[i - 1]) * (means[i] - means[i - 1]);
  }
  // 1 - half of von Neumann's ratio: about the correlation of neighbours. It is normal with this variance
  // where there is none; the limit is exceeded by a quarter of those (it errs on the safe side).
  constexpr double kUpperQuartile = 0.67448975;
  const double limit = kUpperQuartile * std::sqrt((n - 2) / (n * n - 1));
  return {.standard_error = std::sqrt(squares / (n - 1) / n),
          .correlated = squares - steps / 2 > limit * squares};
}

/// Leaves the means of pairs of batches in the first half.
void merge_pairs(std::span<double> means) {
  for (std::size_t i = 0; i < means.size() / 2; ++i) means[i] = (means[2 * i] + means[2 * i + 1]) / 2;
}

/// The half-width of the logarithm of a share that is at most a half.
HalfWidth log_half_width(double share, double half_width, const BatchedSeries& series) {
  if (series.size == 0) return {.absence = Absence::nothing};
  const double number = share * static_cast<double>(series.size);
  if (series.size < 2 * kBatches || number < kLeastAbove) return {.absence = Absence::too_few};
  const double independent = share * series.independent();
  if (independent < kLeastAbove) return {.absence = Absence::too_correlated};
  const double value = std::max(half_width / share, 2 / std::sqrt(independent - kTakenOff));
  if (value > kWidest) return {.absence = Absence::too_correlated};
  return {.value = value};
}

}  // namespace

const char* absence_text(Absence absence) {
  switch (absence) {
    case Absence::none:
      return "";
    case Absence::nothing:
      return "nothing was measured";
    case Absence::too_few:
      return "too few requests";
    case Absence::too_correlated:
      return "too correlated for so short a run";
    case Absence::dropped:
      return "requests were dropped";
    case Absence::exits_decided:
      return "exits were decided at run time";
    case Absence::no_thresholds:
      return "exits have no thresholds";
  }
  return "";
}

MeanError mean_error(const BatchMeans& means) {
  BatchMeans merged = means;
  const Spread by_32 = spread_of(merged);
  merge_pairs(merged);
  const Spread by_16 = spread_of(std::span(merged).first(16));
  if (!by_32.correlated && !by_16.correlated) {
    return {.standard_error = std::max(by_32.standard_error, by_16.standard_error),
            .half_width = std::max(kStudentT31 * by_32.standard_error, kStudentT15 * by_16.standard_error)};
  }
  double largest = std::max(by_32.standard_error, by_16.standard_error);
  for (const std::size_t batches : {8U, 4U}) {
    merge_pairs(std::span(merged).first(2 * batches));
    largest = std::max(largest, spread_of(std::span(merged).first(batches)).standard_error);
  }
  return {.standard_error = largest, .half_width = kStudentT3 * largest};
}

double BatchedSeries::independent() const {
  const double error = mean_error(means).standard_error;
  const auto all = static_cast<double>(size);
  return error * error * all > variance ? variance / (error * error) : all;
}

HalfWidth mean_half_width(const BatchedSeries& series) {
  if (series.size == 0) return {.absence = Absence::nothing};
  if (series.size < 2 * kBatches) return {.absence = Absence::too_few};
  if (series.independent() < kLeastIndependent) return {.absence = Absence::too_correlated};
  // On the logarithm, since the means of short runs are skewed: few long queues make up most of them.
  const double half_width = mean_error(series.means).half_width;
  return {.value = series.mean > 0 ? series.mean * std::expm1(half_width / series.mean) : half_width};
}

HalfWidth share_half_width(double share, const BatchMeans& shares, const BatchedSeries& series) {
  const double smaller = std::min(share, 1 - share);  // of both sides of the bound
  HalfWidth result = log_half_width(smaller, mean_error(shares).half_width, series);
  result.value = smaller * std::expm1(result.value);
  return result;
}

UpperTail::UpperTail(std::span<const double> values, double p92, double p99)
    : size_(values.size()), p92_(p92), p99_(p99), kept_(values.size() * (1000 - kFromPerMille) / 1000 + 2) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < kBatches; ++i) {
    const std::span<const double> batch = part_of(values, i, kBatches);
    std::size_t above = 0;
    for (const double value : batch) {
      kept_[kept] = value;  // without a branch on what is anybody's guess
      kept += value > p92 ? 1 : 0;
      above += value > p99 ? 1 : 0;
    }
    shares_above_[i] = static_cast<double>(above) / static_cast<double>(batch.size());
  }
  kept_.resize(kept);
}

HalfWidth UpperTail::p99_half_width(const BatchedSeries& series) {
  constexpr double kShare = 0.01;
  HalfWidth result = log_half_width(kShare, mean_error(shares_above_).half_width, series);
  if (result.absence != Absence::none) return result;
  const double number = kShare * static_cast<double>(size_);
  const double low = from_top(static_cast<std::size_t>(std::ceil(number * std::exp(result.value))) + 1);
  const double high = from_top(static_cast<std::size_t>(number * std::exp(-result.value)) + 1);
  result.value = std::max(p99_ - low, high - p99_);
  return result;
}

double UpperTail::from_top(std::size_t rank) {
  if (rank > kept_.size()) return p92_;  // as many are just there
  const auto place = kept_.begin() + static_cast<std::ptrdiff_t>(rank - 1);
  std::ranges::nth_element(kept_, place, std::greater());
  return *place;
}

}  // namespace fluidbatch::sim
