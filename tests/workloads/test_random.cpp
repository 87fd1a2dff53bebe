// Random streams: the generator against its published outputs, draws against their distributions.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/support/workload_helpers.h"
#include "workloads/random.h"

using namespace fluidbatch;
using workloads::RandomStream;

namespace {

/// xoshiro256++ written again from its definition, for one comparison.
struct Reference {
  std::uint64_t s[4];
  std::uint64_t next() {
    const auto turn = [](std::uint64_t x, int k) { return (x << k) | (x >> (64 - k)); };
    const std::uint64_t result = turn(s[0] + s[3], 23) + s[0];
    const std::uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = turn(s[3], 45);
    return result;
  }
};

}  // namespace

TEST_CASE("the published first outputs of xoshiro256++ from state 1, 2, 3, 4", "[random]") {
  Reference reference{{1, 2, 3, 4}};
  CHECK(reference.next() == 41943041U);
  CHECK(reference.next() == 58720359U);
  CHECK(reference.next() == 3588806011781223U);
}

TEST_CASE("streams: the same for the same names, different otherwise", "[random]") {
  const auto first = [](std::uint64_t seed, const char* purpose, std::uint64_t index) {
    return RandomStream(seed, purpose, index).bits();
  };
  CHECK(first(1, "arrivals", 0) == first(1, "arrivals", 0));
  std::vector<std::uint64_t> outputs;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    for (std::uint64_t index = 0; index < 20; ++index) {
      outputs.push_back(first(seed, "arrivals", index));
      outputs.push_back(first(seed, "exits", index));
    }
  }
  std::sort(outputs.begin(), outputs.end());
  CHECK(std::adjacent_find(outputs.begin(), outputs.end()) == outputs.end());
}

TEST_CASE("a stream is xoshiro256++ seeded through splitmix64", "[random]") {
  // Hence the same numbers on every machine, and in every later version: a change here changes the results of
  // every user.
  const auto splitmix = [](std::uint64_t& state) {
    std::uint64_t z = (state += 0x9E3779B97F4A7C15U);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
  };
  std::uint64_t zero = 0;
  CHECK(splitmix(zero) == 0xE220A8397B1DCDAFU);  // published
  std::uint64_t hash = 0xCBF29CE484222325U;      // FNV-1a of the purpose
  for (const char c : std::string("arrivals")) hash = (hash ^ static_cast<std::uint64_t>(c)) * 0x100000001B3U;
  std::uint64_t mixed = 17;
  mixed = splitmix(mixed) ^ hash;
  mixed = splitmix(mixed) ^ 3U;
  Reference reference{};
  for (std::uint64_t& word : reference.s) word = splitmix(mixed);
  RandomStream stream(17, "arrivals", 3);
  for (int i = 0; i < 1000; ++i) REQUIRE(stream.bits() == reference.next());
  CHECK(RandomStream(1, "arrivals", 0).bits() == 7847785157697811454U);  // pinned
}

TEST_CASE("branches of a stream are independent of it, and of each other", "[random]") {
  constexpr int kBranches = 20'000;
  RandomStream stream(17, "arrivals", 3);
  for (int i = 0; i < 7; ++i) stream.bits();
  CHECK(stream.split(5).bits() == stream.split(5).bits());
  RandomStream unsplit = stream;
  const double own = unsplit.uniform();
  std::vector<double> first;
  std::vector<double> second;
  for (std::uint64_t branch = 0; branch < kBranches; ++branch) {
    RandomStream split = stream.split(branch);
    first.push_back(split.uniform());
    second.push_back(split.uniform());
    REQUIRE(first.back() != own);
  }
  // Uniform over branches, and neither neighbouring branches nor the draws of one are correlated: the mean of
  // n uniform draws has the standard deviation 1 / sqrt(12 n), their correlation 1 / sqrt(n).
  const auto mean = [](const std::vector<double>& draws) {
    return std::accumulate(draws.begin(), draws.end(), 0.0) / static_cast<double>(draws.size());
  };
  CHECK(mean(first) == Approx(0.5).margin(4 / std::sqrt(12.0 * kBranches)));
  CHECK(mean(second) == Approx(0.5).margin(4 / std::sqrt(12.0 * kBranches)));
  double neighbours = 0;
  double draws = 0;
  for (std::size_t i = 0; i + 1 < first.size(); ++i) {
    neighbours += 12 * (first[i] - 0.5) * (first[i + 1] - 0.5) / kBranches;
    draws += 12 * (first[i] - 0.5) * (second[i] - 0.5) / kBranches;
  }
  CHECK(std::abs(neighbours) < 4 / std::sqrt(kBranches));
  CHECK(std::abs(draws) < 4 / std::sqrt(kBranches));
  // A branch of a branch is another stream again, and so is the same branch a draw later.
  RandomStream later = stream;
  later.bits();
  CHECK(stream.split(1).split(2).bits() != stream.split(2).split(1).bits());
  CHECK(later.split(1).bits() != stream.split(1).bits());
}

TEST_CASE("uniform and exponential draws have their distributions", "[random]") {
  RandomStream random(7, "test", 0);
  std::vector<double> uniform;
  std::vector<double> exponential;
  for (int i = 0; i < 100'000; ++i) {
    uniform.push_back(random.uniform());
    exponential.push_back(random.exponential());
  }
  CHECK(*std::min_element(uniform.begin(), uniform.end()) >= 0);
  CHECK(*std::max_element(uniform.begin(), uniform.end()) < 1);
  CHECK(test::kolmogorov(uniform, [](double x) { return x; }) < 1.95);
  CHECK(test::kolmogorov(exponential, [](double x) { return -std::expm1(-x); }) < 1.95);
}

TEST_CASE("the logarithm of our own is within 4 ulp of the true one", "[random]") {
  std::mt19937_64 engine(1);
  double worst = 0;
  const auto check = [&](double x) {
    const long double truth = std::log(static_cast<long double>(x));
    const double ulp =
        std::nextafter(std::abs(static_cast<double>(truth)), INFINITY) - std::abs(static_cast<double>(truth));
    const auto error =
        static_cast<double>(std::abs(static_cast<long double>(workloads::portable_log(x)) - truth));
    worst = std::max(worst, error / ulp);
  };
  for (int i = 0; i < 200'000; ++i) {
    check(static_cast<double>((engine() >> 11) + 1) * 0x1p-53);  // (0, 1], as the draws use it
    check(1 - static_cast<double>(engine() >> 11) * 0x1p-63);    // just below 1
    check(std::ldexp(1 + static_cast<double>(engine() >> 11) * 0x1p-53,
                     static_cast<int>(engine() % 2000) - 1000));
  }
  CHECK(worst < 4);
  CHECK(workloads::portable_log(1) == 0);
}
