#include "workloads/random.h"

#include <bit>

namespace fluidbatch::workloads {
namespace {

std::uint64_t splitmix64(std::uint64_t& state) {
  state += 0x9E3779B97F4A7C15U;
  std::uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31);
}

/// FNV-1a, 64 bit.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xCBF29CE484222325U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  return hash;
}

}  // namespace

double portable_log(double x) {
  // x = m 2^e with m in [sqrt(1/2), sqrt(2)); log m = 2 artanh(s) with s = (m - 1) / (m + 1), |s| < 0.1716.
  const auto bits = std::bit_cast<std::uint64_t>(x);
  auto exponent = static_cast<int>(bits >> 52) - 1023;
  auto m = std::bit_cast<double>((bits & 0x000FFFFFFFFFFFFFU) | 0x3FF0000000000000U);
  constexpr double kSqrt2 = 1.4142135623730951;
  if (m >= kSqrt2) {
    m *= 0.5;
    ++exponent;
  }
  const double f = m - 1.0;  // exact
  const double s = f / (m + 1.0);
  const double z = s * s;
  // 2 artanh(s) = 2 s (1 + z/3 + z^2/5 + ..), summed in pairs (Estrin) for a short chain of dependences;
  // the first term left out is below 2^-60 relative.
  const double z2 = z * z;
  const double z4 = z2 * z2;
  const double low = (1.0 / 3 + z * (1.0 / 5)) + z2 * (1.0 / 7 + z * (1.0 / 9));
  const double middle = (1.0 / 11 + z * (1.0 / 13)) + z2 * (1.0 / 15 + z * (1.0 / 17));
  const double high = (1.0 / 19 + z * (1.0 / 21)) + z2 * (1.0 / 23);
  const double series = low + z4 * (middle + z4 * high);
  const double log_m = 2.0 * s + 2.0 * s * z * series;
  // log 2 in two parts: exponent * high is exact.
  constexpr double kLog2High = 0x1.62e42fefa38p-1;
  constexpr double kLog2Low = 0x1.ef35793c7673p-45;
  const auto e = static_cast<double>(exponent);
  return e * kLog2High + (log_m + e * kLog2Low);
}

RandomStream::RandomStream(std::uint64_t seed, std::string_view purpose, std::uint64_t index) {
  // Each part passes through the mixer before the next joins, so that (seed, index) pairs can't cancel out.
  std::uint64_t mixed = seed;
  mixed = splitmix64(mixed) ^ hash_of(purpose);
  mixed = splitmix64(mixed) ^ index;
  for (std::uint64_t& word : state_) word = splitmix64(mixed);
}

std::uint64_t RandomStream::bits() {
  auto& s = state_;
  const std::uint64_t result = std::rotl(s[0] + s[3], 23) + s[0];
  const std::uint64_t t = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = std::rotl(s[3], 45);
  return result;
}

}  // namespace fluidbatch::workloads
