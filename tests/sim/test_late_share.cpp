// What late requests that come in bursts are worth, against hand-worked cases and a Markov chain's closed
// form.
#include <cmath>
#include <vector>

#include <catch2/catch.hpp>

#include "sim/measure/confidence.h"
#include "sim/sweep/late_share.h"
#include "workloads/random.h"

using namespace fluidbatch;

namespace {

using Hits = std::vector<unsigned char>;

Hits repeated(const Hits& pattern, std::size_t times) {
  Hits hits;
  for (std::size_t i = 0; i < times; ++i) hits.insert(hits.end(), pattern.begin(), pattern.end());
  return hits;
}

/// A chain that keeps its state with probability `stay`, half of the time in each.
Hits markov_chain(std::uint64_t seed, std::size_t length, double stay) {
  workloads::RandomStream draws(seed, "chain", 0);
  Hits hits{static_cast<unsigned char>(seed % 2)};
  while (hits.size() < length) {
    const bool same = draws.uniform() < stay;
    hits.push_back(static_cast<unsigned char>(same ? hits.back() : 1 - hits.back()));
  }
  return hits;
}

}  // namespace

/// Of hits one after another, in 32 batches.
double design_effect(const Hits& hits) {
  const std::vector<double> latencies_s(hits.size());
  const sim::LateCounts counts = sim::count_late(latencies_s, hits, 0);
  return sim::design_effect(counts.late, counts.size);
}

sim::LateCounts without_late(std::uint64_t in_batch) {
  sim::LateCounts counts;
  counts.requests = in_batch * sim::kLateBatches;
  counts.size.fill(in_batch);
  return counts;
}

TEST_CASE("design effect by hand", "[sweep]") {
  CHECK(design_effect(repeated({0}, 1000)) == 1);
  CHECK(design_effect(repeated({1}, 1000)) == 1);
  CHECK(design_effect({}) == 1);
  // Every batch of two has the same share.
  CHECK(design_effect(repeated({0, 1}, 32)) == 0);
  // 16 batches of ones, 16 of zeros: 32 x 2 x 0.25 / 31 / 0.25.
  CHECK(design_effect(repeated({0, 0, 1, 1}, 16)) == Approx(64.0 / 31));
}

TEST_CASE("design effect of a Markov chain: (1 + r) / (1 - r) for the correlation r of neighbours",
          "[sweep]") {
  for (const double stay : {0.5, 0.75, 0.95}) {
    const double r = 2 * stay - 1;
    constexpr int kChains = 200;
    double mean = 0;
    for (std::uint64_t seed = 0; seed < kChains; ++seed) {
      mean += design_effect(markov_chain(seed, 32'000, stay)) / kChains;
    }
    CAPTURE(stay);
    // One has a relative error of sqrt(2 / 31); four standard errors of the mean of 200, and the batches'
    // ends.
    CHECK(mean == Approx((1 + r) / (1 - r)).epsilon(4 * std::sqrt(2.0 / 31 / kChains) + 0.01));
  }
}

TEST_CASE("a long latency: one that a tenth exceeds, or the share that may be late", "[sweep]") {
  std::vector<double> latencies_s(1000);
  for (std::size_t i = 0; i < latencies_s.size(); ++i) latencies_s[i] = static_cast<double>((i * 7) % 1000);
  CHECK(sim::long_latency_s(latencies_s, 0.01) == 900);
  CHECK(sim::long_latency_s(latencies_s, 0.3) == 700);
}

TEST_CASE("late requests in bursts are worth fewer", "[sweep]") {
  // Two runs; in half of the first one's batches of 1,000, 200 are late.
  sim::LateCounts bursts = without_late(1000);
  for (std::size_t b = 0; b < 16; ++b) bursts.late[b] = 200;
  sim::LateShare share;
  share.add(bursts);
  share.add(without_late(1000));
  // In two runs there are 32 batches of 2,000: a share of 0.05, 8 batches at 0.2 and 24 at 0.
  const double effect = 2000 * (8 * 0.15 * 0.15 + 24 * 0.05 * 0.05) / 31 / (0.05 * 0.95);
  CHECK(share.requests() == 64'000);
  CHECK(share.late() == 3200);
  CHECK(share.independent_requests() == static_cast<std::uint64_t>(64'000 / effect));
  CHECK(share.surely_above(0.01, 0.99));
  CHECK_FALSE(share.surely_below(0.06, 0.99));  // for 64,000 independent ones it would be sure
  CHECK(sim::surely_holds(64'000, 3200, 0.06, 0.99));
}

TEST_CASE("independent requests are worth themselves", "[sweep]") {
  sim::LateCounts even = without_late(1000);
  even.late.fill(5);
  sim::LateShare share;
  share.add(even);
  CHECK(share.independent_requests() == 32'000);
  CHECK(share.surely_below(0.01, 0.99) == sim::surely_holds(32'000, 160, 0.01, 0.99));
  CHECK(share.surely_above(0.003, 0.99) == sim::surely_exceeds(32'000, 160, 0.003, 0.99));
}

TEST_CASE("bursts that outlast a batch are seen between runs", "[sweep]") {
  // Half of 32 short runs have only long latencies, the others none: no run shows that by itself.
  sim::LateShare share;
  for (int run = 0; run < 32; ++run) {
    sim::LateCounts counts = without_late(10);
    if (run % 2 == 0) counts.long_ones.fill(10);
    share.add(counts);
  }
  CHECK(share.independent_requests() == 31);  // as good as one a run
}

TEST_CASE("a run without a late request shows nothing if few of its requests are independent", "[sweep]") {
  sim::LateCounts counts = without_late(200);
  for (std::size_t b = 0; b < 3; ++b) counts.long_ones[b] = 200;
  sim::LateShare share;
  share.add(counts);
  CHECK(share.independent_requests() < 459);
  CHECK_FALSE(share.surely_below(0.01, 0.99));
  CHECK(sim::surely_holds(share.requests(), 0, 0.01, 0.99));
}
