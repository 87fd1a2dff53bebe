// How many requests are late, and how sure that is although late requests come in bursts.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace fluidbatch::sim {

/// Consecutive batches of one run. Their number has to be a power of two.
inline constexpr std::size_t kLateBatches = 32;

/// The late requests of one run, in the order of their arrival.
struct LateCounts {
  using Batches = std::array<std::uint64_t, kLateBatches>;

  std::uint64_t requests = 0;
  Batches size{};
  Batches late{};
  Batches long_ones{};  ///< with a latency above a level that about a tenth of the requests exceed
};

/// The latency that a tenth of the requests exceed or, where more may be late, the share `allowed`. Bursts of
/// long latencies can be seen above it also where the SLO lies so high that no request is late; and above
/// a high level they are of much the same length, however high it is.
double long_latency_s(std::vector<double> latencies_s, double allowed);

/// Of latencies in the order of the requests (infinity: dropped), each with whether it is late. Those above
/// `long_s` are long.
LateCounts count_late(std::span<const double> latencies_s, std::span<const unsigned char> late,
                      double long_s);

/// By how much correlation makes the variance of the share of hits larger than it would be for independent
/// ones: the variance of the share between batches of `size` with `hits` in them, times their size, over
/// share x (1 - share). 1 where there are fewer than two batches, or nothing or all is a hit.
double design_effect(std::span<const std::uint64_t> hits, std::span<const std::uint64_t> size);

/// The share of late requests over independent runs of one configuration.
class LateShare {
 public:
  void add(const LateCounts& run) { runs_.push_back(run); }

  [[nodiscard]] std::uint64_t requests() const;
  [[nodiscard]] std::uint64_t late() const;
  /// How many independent requests these are worth: their number over the design effect, which is the largest
  /// of the late ones', of the long ones' and 1. The batches are as long as leaves 32 of them, up to a whole
  /// run: they have to be long against the bursts.
  [[nodiscard]] std::uint64_t independent_requests() const;

  /// Whether it is sure with `confidence` that less than a share of `allowed` is late: `surely_holds`
  /// (confidence.h) for as many requests as these are worth, with as high a share of late ones.
  [[nodiscard]] bool surely_below(double allowed, double confidence) const;
  /// Likewise, that more is late.
  [[nodiscard]] bool surely_above(double allowed, double confidence) const;

 private:
  [[nodiscard]] double effect() const;
  [[nodiscard]] std::vector<std::uint64_t> joined(LateCounts::Batches LateCounts::*counts) const;

  std::vector<LateCounts> runs_;
};

}  // namespace fluidbatch::sim
