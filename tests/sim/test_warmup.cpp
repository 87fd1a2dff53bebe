// MSER-5 against a case worked by hand, and against its formula taken literally.
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include <catch2/catch.hpp>

#include "sim/measure/warmup.h"
#include "workloads/random.h"

using namespace fluidbatch;

namespace {

constexpr double kDropped = std::numeric_limits<double>::infinity();

/// Five equal latencies for each mean.
std::vector<double> with_means(const std::vector<double>& means) {
  std::vector<double> latencies_s;
  for (const double mean : means) latencies_s.insert(latencies_s.end(), 5, mean);
  return latencies_s;
}

/// The number of means to leave out, each candidate summed up by itself.
std::size_t naive_truncation(const std::vector<double>& means) {
  std::size_t best = 0;
  double least = kDropped;
  for (std::size_t d = 0; d <= means.size() / 2; ++d) {
    const auto n = static_cast<double>(means.size() - d);
    const auto first = means.begin() + static_cast<std::ptrdiff_t>(d);
    const double mean = std::accumulate(first, means.end(), 0.0) / n;
    double squares = 0;
    for (auto z = first; z != means.end(); ++z) squares += (*z - mean) * (*z - mean);
    if (squares / (n * n) < least) {
      least = squares / (n * n);
      best = d;
    }
  }
  return best;
}

/// Correlated latencies that start far above where they settle.
std::vector<double> settling_series(std::uint64_t seed, std::size_t size, double start, double time) {
  workloads::RandomStream random(seed, "settling", 0);
  std::vector<double> latencies_s;
  double noise = 0;
  for (std::size_t i = 0; i < size; ++i) {
    noise = 0.9 * noise + random.uniform() - 0.5;
    latencies_s.push_back(10 + noise + start * std::exp(-static_cast<double>(i) / time));
  }
  return latencies_s;
}

}  // namespace

TEST_CASE("MSER-5 of a case worked by hand", "[warmup]") {
  // Squares over (n - d)^2: 27.33/36 = 0.759, 1.2/25 = 0.048, 1/16 = 0.0625, 0.667/9 = 0.0741.
  const sim::Warmup found = sim::mser5(with_means({8, 2, 3, 2, 3, 2}));
  CHECK(found.requests == 5);
  CHECK_FALSE(found.at_end);
}

TEST_CASE("MSER-5 leaves nothing out of what is steady, and says where it can't tell", "[warmup]") {
  CHECK(sim::mser5(std::vector<double>(100, 3.0)).requests == 0);
  CHECK_FALSE(sim::mser5(std::vector<double>(100, 3.0)).at_end);
  CHECK(sim::mser5({}).requests == 0);
  CHECK(sim::mser5(std::vector<double>(9, 3.0)).requests == 0);  // one mean

  // A drift has no steady state: (m^2 - 1) / (12 m) falls with the number m of means that are left.
  std::vector<double> drift(10);
  std::iota(drift.begin(), drift.end(), 1);
  const sim::Warmup found = sim::mser5(with_means(drift));
  CHECK(found.requests == 25);
  CHECK(found.at_end);
}

TEST_CASE("MSER-5 passes over dropped requests, which count as requests", "[warmup]") {
  std::vector<double> latencies_s = with_means({8, 2, 3, 2, 3, 2});
  latencies_s.insert(latencies_s.begin() + 7, 3, kDropped);  // in the second mean
  latencies_s.insert(latencies_s.begin() + 2, kDropped);     // in the first
  CHECK(sim::mser5(latencies_s).requests == 6);
  CHECK(sim::mser5(std::vector<double>(50, kDropped)).requests == 0);
}

TEST_CASE("MSER-5 is what its formula says", "[warmup]") {
  std::size_t found_some = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    const std::size_t size = 20 + 37 * (seed % 13);
    const double start = seed % 3 == 0 ? 0 : 4;
    const std::vector<double> latencies_s =
        settling_series(seed, size, start, static_cast<double>(size) / 20);
    std::vector<double> means;
    for (std::size_t i = 0; i + 5 <= size; i += 5) {
      means.push_back((latencies_s[i] + latencies_s[i + 1] + latencies_s[i + 2] + latencies_s[i + 3] +
                       latencies_s[i + 4]) /
                      5);
    }
    const std::size_t truncation = naive_truncation(means);
    const sim::Warmup found = sim::mser5(latencies_s);
    INFO("seed " << seed << ", " << size << " requests");
    CHECK(found.requests == 5 * truncation);
    CHECK(found.at_end == (truncation == means.size() / 2));
    if (truncation > 0 && !found.at_end) ++found_some;
  }
  CHECK(found_some > 20);
}
