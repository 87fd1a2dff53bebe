#include "workloads/random.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

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

/// Horner's rule, the constant first.
template <std::size_t N>
double polynomial(const std::array<double, N>& coefficients, double x) {
  double value = 0;
  for (std::size_t i = N; i-- > 0;) value = value * x + coefficients[i];
  return value;
}

}  // namespace

double portable_exp(double x) {
  if (x < -745) return 0;
  // e^x = 2^n e^r with |r| <= log(2) / 2, log 2 in two parts as above.
  constexpr double kLog2High = 0x1.62e42fefa38p-1;
  constexpr double kLog2Low = 0x1.ef35793c7673p-45;
  const double n = std::nearbyint(x * 1.4426950408889634);
  const double r = (x - n * kLog2High) - n * kLog2Low;
  double term = 1;
  double sum = 0;
  std::array<double, 15> terms{};  // r^i / i!; the first one left out is below 2^-60
  for (std::size_t i = 1; i < terms.size(); ++i) {
    term *= r / static_cast<double>(i);
    terms[i] = term;
  }
  for (std::size_t i = terms.size(); i-- > 1;) sum += terms[i];  // the small ones first
  return std::ldexp(1 + sum, static_cast<int>(n));
}

double normal_quantile(double p) {
  if (p <= 0 || p >= 1) {
    return p <= 0 ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
  }
  // Coefficients of AS 241: near the middle, in the tail, and far out.
  constexpr std::array<double, 8> kA{
      3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
      4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3};
  constexpr std::array<double, 8> kB{1.0,
                                     4.2313330701600911252e1,
                                     6.8718700749205790830e2,
                                     5.3941960214247511077e3,
                                     2.1213794301586595867e4,
                                     3.9307895800092710610e4,
                                     2.8729085735721942674e4,
                                     5.2264952788528545610e3};
  constexpr std::array<double, 8> kC{1.42343711074968357734e0,  4.63033784615654529590e0,
                                     5.76949722146069140550e0,  3.64784832476320460504e0,
                                     1.27045825245236838258e0,  2.41780725177450611770e-1,
                                     2.27238449892691845833e-2, 7.74545014278341407640e-4};
  constexpr std::array<double, 8> kD{1.0,
                                     2.05319162663775882187e0,
                                     1.67638483018380384940e0,
                                     6.89767334985100004550e-1,
                                     1.48103976427480074590e-1,
                                     1.51986665636164571966e-2,
                                     5.47593808499534494600e-4,
                                     1.05075007164441684324e-9};
  constexpr std::array<double, 8> kE{6.65790464350110377720e0,  5.46378491116411436990e0,
                                     1.78482653991729133580e0,  2.96560571828504891230e-1,
                                     2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                     2.71155556874348757815e-5, 2.01033439929228813265e-7};
  constexpr std::array<double, 8> kF{1.0,
                                     5.99832206555887937690e-1,
                                     1.36929880922735805310e-1,
                                     1.48753612908506148525e-2,
                                     7.86869131145613259100e-4,
                                     1.84631831751005468180e-5,
                                     1.42151175831644588870e-7,
                                     2.04426310338993978564e-15};
  const double q = p - 0.5;
  if (std::abs(q) <= 0.425) {
    const double r = 0.180625 - q * q;
    return q * polynomial(kA, r) / polynomial(kB, r);
  }
  const double r = std::sqrt(-portable_log(q < 0 ? p : 1 - p));
  const double x = r <= 5 ? polynomial(kC, r - 1.6) / polynomial(kD, r - 1.6)
                          : polynomial(kE, r - 5) / polynomial(kF, r - 5);
  return q < 0 ? -x : x;
}

double RandomStream::normal() {
  return normal_quantile((static_cast<double>(bits() >> 12) + 0.5) * 0x1p-52);  // never 0 or 1
}

double RandomStream::gamma(double shape) {
  // Below 1: a draw of shape + 1 times U^(1 / shape) (the same paper, section 6).
  const double boost = shape < 1 ? portable_exp(-exponential() / shape) : 1;
  const double d = (shape < 1 ? shape + 1 : shape) - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  while (true) {
    const double x = normal();
    const double root = 1 + c * x;
    if (root <= 0) continue;
    const double v = root * root * root;
    if (-exponential() < 0.5 * x * x + d - d * v + d * portable_log(v)) return d * v * boost / shape;
  }
}

RandomStream::RandomStream(std::uint64_t seed, std::string_view purpose, std::uint64_t index) {
  // Each part passes through the mixer before the next joins, so that (seed, index) pairs can't cancel out.
  std::uint64_t mixed = seed;
  mixed = splitmix64(mixed) ^ hash_of(purpose);
  mixed = splitmix64(mixed) ^ index;
  for (std::uint64_t& word : state_) word = splitmix64(mixed);
}

RandomStream RandomStream::split(std::uint64_t branch) const {
  // As a stream is seeded, with the whole state in place of the seed.
  std::uint64_t mixed = hash_of("split");
  for (const std::uint64_t word : state_) mixed = splitmix64(mixed) ^ word;
  mixed = splitmix64(mixed) ^ branch;
  RandomStream stream;
  for (std::uint64_t& word : stream.state_) word = splitmix64(mixed);
  return stream;
}

}  // namespace fluidbatch::workloads
