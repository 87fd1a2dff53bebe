#include "tests/support/mg1.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace fluidbatch::test {
namespace {

constexpr std::size_t kStepsPerService = 1000;  // of the longest
constexpr double kNegligible = 1e-7;            // P(wait > the lattice's end) is about that

}  // namespace

Mg1Latency::Mg1Latency(std::vector<ServiceTime> services, double load)
    : services_(std::move(services)), load_(load) {
  double longest_s = 0;
  for (const ServiceTime& service : services_) {
    mean_service_s_ += service.probability * service.time_s;
    longest_s = std::max(longest_s, service.time_s);
  }
  rate_hz_ = load / mean_service_s_;
  step_s_ = longest_s / kStepsPerService;
  const auto above = [](Masses masses) {
    double sum = 0;
    for (double& mass : masses) mass = 1 - (sum += mass);
    return masses;
  };
  above_low_ = above(wait(left_of_service(false)));
  above_high_ = above(wait(left_of_service(true)));
}

double Mg1Latency::mean_s() const {
  double second_moment = 0;
  for (const ServiceTime& service : services_)
    second_moment += service.probability * service.time_s * service.time_s;
  return mean_service_s_ + rate_hz_ * second_moment / (2 * (1 - load_));
}

double Mg1Latency::lattice_mean_s() const {
  const auto mean = [&](const Masses& above) {
    return step_s_ * std::accumulate(above.begin(), above.end(), 0.0);
  };
  return mean_service_s_ + (mean(above_low_) + mean(above_high_)) / 2;
}

/// P(left <= t) is the integral of P(service > s) over s up to t, over the mean.
Mg1Latency::Masses Mg1Latency::left_of_service(bool up) const {
  Masses masses(kStepsPerService + 1);
  double before = 0;
  for (std::size_t i = 0; i < kStepsPerService; ++i) {
    const double t_s = static_cast<double>(i + 1) * step_s_;
    double upto = 0;
    for (const ServiceTime& service : services_)
      upto += service.probability * std::min(t_s, service.time_s) / mean_service_s_;
    masses[up ? i + 1 : i] = upto - before;
    before = upto;
  }
  return masses;
}

/// P(wait = step i) = (1 - load) if i is 0 .. + load sum over j of P(left = j) P(wait = i - j).
Mg1Latency::Masses Mg1Latency::wait(const Masses& left) const {
  const double stay = 1 - load_ * left[0];
  Masses masses{(1 - load_) / stay};
  double sum = masses[0];
  while (1 - sum > kNegligible) {
    const std::size_t i = masses.size();
    double mass = 0;
    for (std::size_t j = 1; j <= std::min(i, kStepsPerService); ++j) mass += left[j] * masses[i - j];
    masses.push_back(load_ * mass / stay);
    sum += masses.back();
  }
  return masses;
}

double Mg1Latency::exceeding(const Masses& above, double t_s) const {
  double result = 0;
  for (const ServiceTime& service : services_) {
    const double wait_s = t_s - service.time_s;
    if (wait_s < 0) {
      result += service.probability;
      continue;
    }
    const auto step = static_cast<std::size_t>(wait_s / step_s_);
    if (step < above.size()) result += service.probability * above[step];
  }
  return result;
}

double Mg1Latency::exceeding(double t_s) const {
  return (exceeding(above_low_, t_s) + exceeding(above_high_, t_s)) / 2;
}

double Mg1Latency::quantile_s(const Masses& above, double share) const {
  double low = 0;
  double high = step_s_ * static_cast<double>(above.size() + kStepsPerService);
  while (high - low > step_s_ / 100) {
    const double middle = (low + high) / 2;
    (exceeding(above, middle) > share ? low : high) = middle;
  }
  return high;
}

double Mg1Latency::low_s(double share) const { return quantile_s(above_low_, share); }
double Mg1Latency::high_s(double share) const { return quantile_s(above_high_, share); }

}  // namespace fluidbatch::test
