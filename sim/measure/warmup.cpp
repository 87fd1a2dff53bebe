#include "sim/measure/warmup.h"

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

namespace fluidbatch::sim {
namespace {

constexpr std::size_t kTogether = 5;

std::vector<double> means_of_five(std::span<const double> latencies_s) {
  std::vector<double> means;
  means.reserve(latencies_s.size() / kTogether);
  double sum = 0;
  std::size_t count = 0;
  for (const double latency_s : latencies_s) {
    if (std::isinf(latency_s)) continue;
    sum += latency_s;
    if (++count < kTogether) continue;
    means.push_back(sum / kTogether);
    sum = 0;
    count = 0;
  }
  return means;
}

/// The first of equal minima.
std::size_t truncation_point(std::span<const double> means) {
  std::size_t best = 0;
  double least = std::numeric_limits<double>::infinity();
  // From the end on, so that mean and squares grow by one value at a time (Welford).
  double mean = 0;
  double squares = 0;
  for (std::size_t d = means.size(); d-- > 0;) {
    const auto count = static_cast<double>(means.size() - d);
    const double to_mean = means[d] - mean;
    mean += to_mean / count;
    squares += to_mean * (means[d] - mean);
    const double error = squares / (count * count);
    if (d > means.size() / 2 || error > least) continue;
    least = error;
    best = d;
  }
  return best;
}

/// The number of the request at which batch `batch` begins.
std::uint64_t first_request_of(std::size_t batch, std::span<const double> latencies_s) {
  std::size_t left = batch * kTogether;
  std::uint64_t request = 0;
  for (; left > 0; ++request) left -= std::isinf(latencies_s[request]) ? 0U : 1U;
  return request;
}

}  // namespace

Warmup mser5(std::span<const double> latencies_s) {
  const std::vector<double> means = means_of_five(latencies_s);
  if (means.size() < 2) return {};
  const std::size_t batch = truncation_point(means);
  return {.requests = first_request_of(batch, latencies_s), .at_end = batch == means.size() / 2};
}

}  // namespace fluidbatch::sim
