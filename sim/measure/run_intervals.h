// 95 % intervals of one run, whose latencies are correlated: each waits behind those before it.
//
// All are made from the means of 32 consecutive batches of requests, and of 16, 8 and 4 of their unions.
// Which of several sound rules covers best was measured: the table in docs/validation.md.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace fluidbatch::sim {

/// Why a statistic has no value.
enum class Absence : std::uint8_t {
  none,            ///< it has one, or its meaning says when it has none
  nothing,         ///< no latency was measured
  too_few,         ///< an interval of too few requests, or of too few late ones
  too_correlated,  ///< an interval of a run that is short against the time over which latencies are
                   ///< correlated
  dropped,         ///< a bound of the mean where the policy chose whom to answer
  exits_decided,   ///< a bound of the mean where a control decided at run time how much work there is
  no_thresholds,   ///< of thresholds, where exits have none
};

/// For a person, in a few words; empty for `none`.
const char* absence_text(Absence absence);

/// Half of a 95 % interval; NaN where there is none.
struct HalfWidth {
  double value = std::numeric_limits<double>::quiet_NaN();
  Absence absence = Absence::none;
};

inline constexpr std::size_t kBatches = 32;
using BatchMeans = std::array<double, kBatches>;

/// How far the mean of a series may lie from the true one.
struct MeanError {
  double standard_error = 0;
  double half_width = 0;  ///< the standard error times Student's t for 95 %
};

/// From the means of the series' batches. Where neither the 32 nor the 16 means are correlated (by von
/// Neumann's ratio): the larger of both errors. Else batches are too short to be independent, and the largest
/// error by 32, 16, 8 and 4 batches counts, with Student's t for four.
MeanError mean_error(const BatchMeans& means);

/// A series of positive values.
struct BatchedSeries {
  std::uint64_t size = 0;
  double mean = std::numeric_limits<double>::quiet_NaN();
  double variance = 0;  ///< of single values
  BatchMeans means{};

  /// How many independent values would give as good a mean; at most `size`.
  [[nodiscard]] double independent() const;
};

/// Of the series' mean.
HalfWidth mean_half_width(const BatchedSeries& series);

/// Of a share of the values, given their batches' shares. It is correlated as the values are, or more.
HalfWidth share_half_width(double share, const BatchMeans& shares, const BatchedSeries& series);

/// The largest values of a run, for the interval of its 99th percentile.
class UpperTail {
 public:
  /// The percentile from which on the values are kept: the interval of the 99th does not reach below it.
  static constexpr std::uint64_t kFromPerMille = 920;

  /// Of `values`, whose percentiles 92 and 99 those are; in one pass.
  UpperTail(std::span<const double> values, double p92, double p99);

  /// Of the 99th percentile: the larger side of the interval between two order statistics. They are those
  /// above which the share of the values can be 1 % given the error of such a share. `series`: the values'.
  HalfWidth p99_half_width(const BatchedSeries& series);

 private:
  /// The largest value has rank 1.
  [[nodiscard]] double from_top(std::size_t rank);

  std::uint64_t size_;
  double p92_;
  double p99_;
  std::vector<double> kept_;  ///< those above p92
  BatchMeans shares_above_{};
};

}  // namespace fluidbatch::sim
