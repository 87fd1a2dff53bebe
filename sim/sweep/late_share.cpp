#include "sim/sweep/late_share.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "sim/measure/confidence.h"

namespace fluidbatch::sim {
namespace {

std::uint64_t sum_of(std::span<const std::uint64_t> counts) {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

}  // namespace

double long_latency_s(std::vector<double> latencies_s, double allowed) {
  if (latencies_s.empty()) return 0;
  constexpr double kTenth = 0.1;
  const double below = (1 - std::max(kTenth, allowed)) * static_cast<double>(latencies_s.size());
  const auto level = latencies_s.begin() + static_cast<std::ptrdiff_t>(below);
  std::nth_element(latencies_s.begin(), level, latencies_s.end());
  return *level;
}

LateCounts count_late(std::span<const double> latencies_s, std::span<const unsigned char> late,
                      double long_s) {
  LateCounts counts;
  counts.requests = late.size();
  for (std::size_t b = 0; b < kLateBatches; ++b) {
    const std::size_t end = (b + 1) * late.size() / kLateBatches;
    for (std::size_t i = b * late.size() / kLateBatches; i < end; ++i) {
      ++counts.size[b];
      counts.late[b] += late[i];
      counts.long_ones[b] += latencies_s[i] > long_s ? 1U : 0U;
    }
  }
  return counts;
}

double design_effect(std::span<const std::uint64_t> hits, std::span<const std::uint64_t> size) {
  const auto all_hits = static_cast<double>(sum_of(hits));
  const double share = all_hits / static_cast<double>(sum_of(size));
  if (hits.size() < 2 || !(share > 0 && share < 1)) return 1;
  double squares = 0;
  for (std::size_t b = 0; b < hits.size(); ++b) {
    if (size[b] == 0) continue;
    const auto of_batch = static_cast<double>(size[b]);
    const double difference = static_cast<double>(hits[b]) / of_batch - share;
    squares += difference * difference * of_batch;
  }
  return squares / static_cast<double>(hits.size() - 1) / (share * (1 - share));
}

std::uint64_t LateShare::requests() const {
  std::uint64_t requests = 0;
  for (const LateCounts& run : runs_) requests += run.requests;
  return requests;
}

std::uint64_t LateShare::late() const {
  std::uint64_t late = 0;
  for (const LateCounts& run : runs_) late += sum_of(run.late);
  return late;
}

/// Counts of the batches of all runs, neighbours of a run added up so that about 32 are left, or one a run.
std::vector<std::uint64_t> LateShare::joined(LateCounts::Batches LateCounts::*counts) const {
  const std::size_t together = std::min(std::bit_ceil(runs_.size()), kLateBatches);
  std::vector<std::uint64_t> sums;
  for (const LateCounts& run : runs_) {
    const std::span<const std::uint64_t> batches = run.*counts;
    for (std::size_t b = 0; b < kLateBatches; b += together) {
      sums.push_back(sum_of(batches.subspan(b, together)));
    }
  }
  return sums;
}

double LateShare::effect() const {
  const std::vector<std::uint64_t> size = joined(&LateCounts::size);
  return std::max({1.0, design_effect(joined(&LateCounts::late), size),
                   design_effect(joined(&LateCounts::long_ones), size)});
}

std::uint64_t LateShare::independent_requests() const {
  return static_cast<std::uint64_t>(static_cast<double>(requests()) / effect());
}

bool LateShare::surely_below(double allowed, double confidence) const {
  const auto late_ones = static_cast<std::uint64_t>(std::ceil(static_cast<double>(late()) / effect()));
  return surely_holds(independent_requests(), late_ones, allowed, confidence);
}

bool LateShare::surely_above(double allowed, double confidence) const {
  const auto late_ones = static_cast<std::uint64_t>(static_cast<double>(late()) / effect());
  return surely_exceeds(independent_requests(), late_ones, allowed, confidence);
}

}  // namespace fluidbatch::sim
