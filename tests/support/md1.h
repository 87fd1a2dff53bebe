// Closed forms of M/D/1: Poisson arrivals at a load `rho`, each served for `d` seconds, one after another.
#pragma once

#include <cmath>

namespace fluidbatch::test {

/// Mean of wait and service (Pollaczek-Khinchine).
inline double md1_mean_s(double rho, double d) { return d + rho * d / (2 * (1 - rho)); }

/// Erlang's distribution of the wait, P(W <= t). Its terms alternate: good for waits of up to some 30 d.
inline double md1_wait_cdf(double t, double rho, double d) {
  long double sum = 0;
  long double factorial = 1;
  for (int k = 0; k <= static_cast<int>(t / d); ++k) {
    if (k > 0) factorial *= k;
    const long double x = static_cast<long double>(rho) * (k - static_cast<long double>(t) / d);
    sum += std::pow(x, k) / factorial * std::exp(-x);
  }
  return static_cast<double>((1 - rho) * sum);
}

/// The 99th percentile of wait and service.
inline double md1_p99_s(double rho, double d) {
  double low = 0;
  double high = 40 * d;
  while (high - low > 1e-9 * d) {
    const double middle = (low + high) / 2;
    (md1_wait_cdf(middle, rho, d) < 0.99 ? low : high) = middle;
  }
  return d + low;
}

}  // namespace fluidbatch::test
