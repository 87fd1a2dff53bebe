// Intervals over replications, and the early-stopping rule.
#pragma once

#include <cstdint>
#include <span>

namespace fluidbatch::sim {

/// A mean with its 95 % interval.
struct Interval {
  double mean = 0;
  double half_width = 0;  ///< of the 95 % interval, Student's t; NaN for fewer than two values
};

/// The 97.5th percentile of Student's t with so many degrees of freedom, at least 1: half-widths of 95 %
/// intervals are this many standard errors.
double students_t(double freedom);

/// Of the mean of independent values.
Interval mean_interval(std::span<const double> values);

/// A ratio of means with its 95 % interval.
struct RatioInterval {
  double ratio = 0;  ///< mean of the values over mean of the bases; NaN where that is 0
  double low = 0;    ///< of the 95 % interval, not below 0; NaN for fewer than two pairs
  double high = 0;
};

/// Of `values` to `bases`, which were run on the same random draws pair by pair: the ratio estimator, its
/// error by linearisation, that is, from the residuals value - ratio x base (Cochran, Sampling Techniques,
/// chapter 6).
RatioInterval paired_ratio(std::span<const double> values, std::span<const double> bases);

/// Largest share, with 95 % confidence, of something that none of `requests` independent ones showed: the
/// rule of three (Hanley and Lippman-Hand, JAMA 249, 1983).
double none_of(double requests);

/// The same for a ratio of shares: the largest one, with 95 % confidence, where `base_count` of
/// `base_requests` had something and none of `requests`. Given their sum, the counts are binomial
/// (Przyborowski and Wilenski, Biometrika 31, 1940): the ratio at which none would have a probability of 5 %
/// is 20^(1 / base_count) - 1, about 3 / base_count.
double none_against(double requests, double base_count, double base_requests);

/// MLPerf's early-stopping rule (Reddi et al., MLPerf Inference Benchmark, and its rules, appendix on early
/// stopping): after `requests` of which `late` were, is it sure with `confidence` that less than a share of
/// `allowed` is late? It is where so few would be late with a probability of at most 1 - confidence if the
/// share was `allowed`: P(Binomial(requests, allowed) <= late) <= 1 - confidence.
bool surely_holds(std::uint64_t requests, std::uint64_t late, double allowed, double confidence);

/// Likewise: is it sure that more than a share of `allowed` is late? P(Binomial(requests, allowed) >= late)
/// <= 1 - confidence.
bool surely_exceeds(std::uint64_t requests, std::uint64_t late, double allowed, double confidence);

/// The least number of requests with which `surely_holds` for `late` late ones.
std::uint64_t least_requests(std::uint64_t late, double allowed, double confidence);

}  // namespace fluidbatch::sim
