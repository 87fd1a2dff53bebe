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
  no_site,         ///< of what tells services and NPUs apart, where there is one of each
  of_all_npus,     ///< a bound, where one NPU of several is in question
  no_energies,     ///< of energy, where the NPU says nothing of what its operations take
  measured_table,  ///< of energy, where latencies are measured
  some_energies,   ///< of energy, where that holds for some NPUs and not for others
};

/// For a person, in a few words; empty for `none`.
const char* absence_text(Absence absence);

/// Whether a statistic that is absent for this reason is of something that the run does not have, so that
/// nothing is to be said of it.
bool is_out_of_question(Absence absence);

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

/// A percentile that a share of the values, at most 1 %, exceeds.
struct UpperPercentile {
  double share = 0;
  double value = 0;
};

/// The percentile from which on `upper_half_widths` looks at the values.
inline constexpr std::uint64_t kTailFromPerMille = 920;

/// Of percentiles of `values`, whose series is `series` and of which `from` is the percentile
/// kTailFromPerMille: the larger side of the interval between two order statistics, those above which the
/// share of the values can be the percentile's given the error of such a share. Where too few independent
/// values are above the upper one, the interval is at least as wide as for an exponential tail. In one pass;
/// quickest with the lowest percentile first.
std::vector<HalfWidth> upper_half_widths(std::span<const double> values, double from,
                                         std::span<const UpperPercentile> percentiles,
                                         const BatchedSeries& series);

}  // namespace fluidbatch::sim
