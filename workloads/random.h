// Random numbers that are the same on every machine: named streams, and draws without the C library.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace fluidbatch::workloads {

/// Natural logarithm from additions, multiplications and one division only, hence the same bits wherever
/// doubles are IEEE 754 (the C library's log differs between versions). Relative error below 4 ulp.
/// Precondition: 0 < x < infinity, x normal.
double portable_log(double x);

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

  std::uint64_t bits();
  /// Uniform in [0, 1), a multiple of 2^-53.
  double uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }
  /// Exponential with mean 1, by inversion.
  double exponential() { return -portable_log(1.0 - uniform()); }
  /// Standard normal, by inversion; one draw of bits.
  double normal();
  /// Gamma with mean 1 and the given shape (1 / CV^2), by Marsaglia and Tsang's rejection.
  double gamma(double shape);

 private:
  std::array<std::uint64_t, 4> state_{};
};

}  // namespace fluidbatch::workloads
