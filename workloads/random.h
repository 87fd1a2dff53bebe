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

 private:
  std::array<std::uint64_t, 4> state_{};
};

}  // namespace fluidbatch::workloads
