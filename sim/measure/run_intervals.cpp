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
// A run that happened to see no long queue looks less correlated than it is, so that its k is too large, most
// where k is small: twice the standard error is doubled at kDoubledAt, and there is no interval below
// kLeastAbove.
constexpr double kLeastAbove = 4;
constexpr double kDoubledAt = 5;

/// Of the logarithm of a share: above, the half-width would be more than 3.5 times the share.
constexpr double kWidestOfShare = 1.5;

/// Below so many independent values above it, the upper end of a percentile's interval is no order statistic:
/// one or two long queues say too little of the next.
constexpr double kLeastAboveUpperEnd = 3;

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

/// Of batches that are taken as independent.
double independent_half_width(const Spread& by_32, const Spread& by_16) {
  return std::max(kStudentT31 * by_32.standard_error, kStudentT15 * by_16.standard_error);
}

/// The half-width of the logarithm of a share that is at most a half, given its batches' shares. How far
/// batches are from being independent is in how many independent values the series has.
HalfWidth log_half_width(double share, const BatchMeans& shares, const BatchedSeries& series) {
  if (series.size == 0) return {.absence = Absence::nothing};
  if (series.size < 2 * kBatches || share * static_cast<double>(series.size) < kLeastAbove)
    return {.absence = Absence::too_few};
  const double above = share * series.independent();
  if (above < kLeastAbove) return {.absence = Absence::too_correlated};
  BatchMeans merged = shares;
  const Spread by_32 = spread_of(merged);
  merge_pairs(merged);
  const double by_batches = independent_half_width(by_32, spread_of(std::span(merged).first(16))) / share;
  const double by_number = 2 / std::sqrt(above) * (1 + (kDoubledAt / above) * (kDoubledAt / above));
  return {.value = std::max(by_batches, by_number)};
}

/// The largest values of a run.
class UpperTail {
 public:
  UpperTail(std::span<const double> values, double from);

  /// Of the batches' values. To be called before any order statistic is asked for.
  [[nodiscard]] BatchMeans shares_above(double value) const;
  /// The largest value has rank 1. Quick where each rank is below those before it.
  [[nodiscard]] double from_top(std::size_t rank);
  /// By how much the values that are kept exceed the bound, which is the scale of an exponential tail.
  [[nodiscard]] double mean_excess() const { return mean_excess_; }

 private:
  std::size_t size_;
  double from_;
  std::vector<double> kept_;                  ///< those above `from`, batch by batch
  std::array<std::size_t, kBatches> ends_{};  ///< of each batch's
  double mean_excess_ = 0;
  std::size_t top_;  ///< so many of the largest stand in front
};

UpperTail::UpperTail(std::span<const double> values, double from)
    : size_(values.size()), from_(from), kept_(values.size() * (1000 - kTailFromPerMille) / 1000 + 2) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < kBatches; ++i) {
    for (const double value : part_of(values, i, kBatches)) {
      kept_[kept] = value;  // without a branch on what is anybody's guess
      kept += value > from ? 1 : 0;
    }
    ends_[i] = kept;
  }
  kept_.resize(kept);
  top_ = kept;
  for (const double value : kept_) mean_excess_ += (value - from) / static_cast<double>(kept);
}

BatchMeans UpperTail::shares_above(double value) const {
  BatchMeans shares{};
  std::size_t begin = 0;
  for (std::size_t i = 0; i < kBatches; ++i) {
    const std::span<const double> batch = std::span(kept_).subspan(begin, ends_[i] - begin);
    const auto above = std::ranges::count_if(batch, [value](double kept) { return kept > value; });
    shares[i] = static_cast<double>(above) / static_cast<double>(size_of_part(size_, i, kBatches));
    begin = ends_[i];
  }
  return shares;
}

double UpperTail::from_top(std::size_t rank) {
  if (rank > kept_.size()) return from_;  // as many are just there
  const auto at = [this](std::size_t place) { return kept_.begin() + static_cast<std::ptrdiff_t>(place); };
  const bool in_front = rank <= top_;
  std::nth_element(at(in_front ? 0 : top_), at(rank - 1), at(in_front ? top_ : kept_.size()), std::greater());
  top_ = rank;
  return *at(rank - 1);
}

/// Of `percentile`, given the half-width of the logarithm of the share above it.
double percentile_half_width(const UpperPercentile& percentile, double log_half_width,
                             const BatchedSeries& series, UpperTail& tail) {
  const double number = percentile.share * static_cast<double>(series.size);
  const double low =
      tail.from_top(static_cast<std::size_t>(std::ceil(number * std::exp(log_half_width))) + 1);
  const double high = tail.from_top(static_cast<std::size_t>(number * std::exp(-log_half_width)) + 1);
  const double half_width = std::max(percentile.value - low, high - percentile.value);
  const double independent = series.independent();
  if (percentile.share * independent * std::exp(-log_half_width) >= kLeastAboveUpperEnd) return half_width;
  // Extrapolated as an exponential tail, whose scale is itself an estimate: its upper end counts.
  const double in_tail = independent * static_cast<double>(1000 - kTailFromPerMille) / 1000;
  return std::max(half_width, log_half_width * tail.mean_excess() * std::exp(2 / std::sqrt(in_tail)));
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
    case Absence::no_site:
      return "there is one of it";
    case Absence::of_all_npus:
      return "a bound is of all NPUs together";
    case Absence::no_energies:
      return "the NPU has no `energy`: give it one";
    case Absence::measured_table:
      return "a measured table has no energies: name an NPU with `energy` instead";
    case Absence::some_energies:
      return "of several NPUs, one has no `energy`, or a measured table: give each an `energy`";
  }
  return "";
}

bool is_out_of_question(Absence absence) {
  return absence == Absence::no_thresholds || absence == Absence::no_site ||
         absence == Absence::no_energies || absence == Absence::measured_table;
}

MeanError mean_error(const BatchMeans& means) {
  BatchMeans merged = means;
  const Spread by_32 = spread_of(merged);
  merge_pairs(merged);
  const Spread by_16 = spread_of(std::span(merged).first(16));
  double largest = std::max(by_32.standard_error, by_16.standard_error);
  if (!by_32.correlated && !by_16.correlated)
    return {.standard_error = largest, .half_width = independent_half_width(by_32, by_16)};
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
  const HalfWidth of_log = log_half_width(smaller, shares, series);
  if (of_log.absence != Absence::none) return of_log;
  if (of_log.value > kWidestOfShare) return {.absence = Absence::too_correlated};
  return {.value = smaller * std::expm1(of_log.value)};
}

std::vector<HalfWidth> upper_half_widths(std::span<const double> values, double from,
                                         std::span<const UpperPercentile> percentiles,
                                         const BatchedSeries& series) {
  UpperTail tail(values, from);
  std::vector<HalfWidth> found;
  for (const UpperPercentile& percentile : percentiles)
    found.push_back(log_half_width(percentile.share, tail.shares_above(percentile.value), series));
  for (std::size_t i = 0; i < percentiles.size(); ++i) {
    if (found[i].absence == Absence::none)
      found[i].value = percentile_half_width(percentiles[i], found[i].value, series, tail);
  }
  return found;
}

}  // namespace fluidbatch::sim
