// Latencies of M/G/1 (Poisson arrivals, one server, first come first served) without a simulation.
#pragma once

#include <vector>

namespace fluidbatch::test {

/// What a request may ask of the server.
struct ServiceTime {
  double time_s = 0;
  double probability = 0;
};

/// The distribution of wait plus service time. The wait is a sum of a geometric number of independent times,
/// each distributed as what is left of a service (Asmussen, Applied Probability and Queues, VIII.5), and is
/// worked out on a lattice (Panjer's recursion): once with all times rounded down to it, once with all
/// rounded up, between which the true distribution lies.
class Mg1Latency {
 public:
  /// `load`: arrival rate times mean service time, below 1.
  Mg1Latency(std::vector<ServiceTime> services, double load);

  [[nodiscard]] double rate_hz() const { return rate_hz_; }
  /// Pollaczek and Khinchine's.
  [[nodiscard]] double mean_s() const;
  /// By the lattice: middle of both bounds.
  [[nodiscard]] double lattice_mean_s() const;
  /// P(latency > t): middle of both bounds.
  [[nodiscard]] double exceeding(double t_s) const;
  /// The latency that a share exceeds: middle of both bounds.
  [[nodiscard]] double quantile_s(double share) const { return (low_s(share) + high_s(share)) / 2; }
  [[nodiscard]] double low_s(double share) const;
  [[nodiscard]] double high_s(double share) const;

 private:
  using Masses = std::vector<double>;

  [[nodiscard]] Masses left_of_service(bool up) const;
  [[nodiscard]] Masses wait(const Masses& left) const;
  [[nodiscard]] double exceeding(const Masses& above, double t_s) const;
  [[nodiscard]] double quantile_s(const Masses& above, double share) const;

  std::vector<ServiceTime> services_;
  double load_;
  double mean_service_s_ = 0;
  double rate_hz_ = 0;
  double step_s_ = 0;
  Masses above_low_;   // P(wait > step i), all times rounded down
  Masses above_high_;  // rounded up
};

}  // namespace fluidbatch::test
