// Random numbers that are the same on every machine: named streams, and draws without the C library.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <string_view>

namespace fluidbatch::workloads {

/// Natural logarithm from additions, multiplications and one division only, hence the same bits wherever
/// doubles are IEEE 754 (the C library's log differs between versions). Relative error below 4 ulp.
/// Precondition: 0 < x < infinity, x normal.
inline double portable_log(double x) {
  // x = m 2^e with m in [sqrt(1/2), sqrt(2)); log m = 2 artanh(s) with s = (m - 1) / (m + 1), |s| < 0.1716.
  // The exponent is found without a branch, and all is done on 64-bit words, so that the compiler can take
  // several logarithms at once.
  const auto bits = std::bit_cast<std::uint64_t>(x);
  const std::uint64_t mantissa = (bits & 0x000FFFFFFFFFFFFFU) | 0x3FF0000000000000U;
  constexpr auto kSqrt2 = std::bit_cast<std::uint64_t>(1.4142135623730951);
  const std::uint64_t upper = 1 - ((mantissa - kSqrt2) >> 63);  // 1 where the mantissa is at least sqrt(2)
  const auto m = std::bit_cast<double>(mantissa - (upper << 52));
  // An integer below 2^52 in the mantissa of 2^52 is the number 2^52 + integer.
  const double e = std::bit_cast<double>(((bits >> 52) + upper) | 0x4330000000000000U) - (0x1p52 + 1023);
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
  return e * kLog2High + (log_m + e * kLog2Low);
}

/// e^x for x <= 0 in the same way; 0 below -745. Relative error below 4 ulp where the result is normal.
double portable_exp(double x);

/// The x that a standard normal draw is below with probability `p`: Wichura's algorithm AS 241 (PPND16), with
/// a relative error of about 1e-16. Precondition: 0 <= p <= 1; minus and plus infinity at the ends.
double normal_quantile(double p);

/// One stream of uniform draws (xoshiro256++ by Blackman and Vigna, seeded through splitmix64).
/// Streams of different (seed, purpose, index) are independent for all practical ends.
class RandomStream {
 public:
  RandomStream(std::uint64_t seed, std::string_view purpose, std::uint64_t index);

  /// A stream that is independent of this one, and of those of its other branches: a lawful future beside the
  /// one that this stream stands for. The same for the same state and branch.
  [[nodiscard]] RandomStream split(std::uint64_t branch) const;

  std::uint64_t bits() {
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
  /// Uniform in [0, 1), a multiple of 2^-53.
  double uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }
  /// Exponential with mean 1, by inversion.
  double exponential() { return -portable_log(1.0 - uniform()); }
  /// Standard normal, by inversion; one draw of bits.
  double normal();
  /// Gamma with mean 1 and the given shape (1 / CV^2), by Marsaglia and Tsang's rejection.
  double gamma(double shape);

 private:
  RandomStream() = default;

  std::array<std::uint64_t, 4> state_{};
};

}  // namespace fluidbatch::workloads
