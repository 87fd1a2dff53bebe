// Poisson arrivals: independent exponential gaps.
#include "workloads/random.h"
#include "workloads/traffic/processes.h"

namespace fluidbatch::workloads {
namespace {

class PoissonStream final : public ArrivalStream {
 public:
  PoissonStream(double rate_hz, std::uint64_t seed, std::uint64_t key)
      : mean_gap_s_(1 / rate_hz), random_(seed, "arrivals", key) {}

  void draw(std::span<double> dates) override {
    // Bits, logarithms and sums apart, so that the logarithms do not wait for one another.
    RandomStream random = random_;
    for (double& date_s : dates) date_s = random.uniform();
    random_ = random;
    for (double& date_s : dates) date_s = mean_gap_s_ * -portable_log(1.0 - date_s);
    double sum_s = date_s_;  // in a register, since the dates could lie where date_s_ does
    for (double& date_s : dates) date_s = sum_s += date_s;
    date_s_ = sum_s;
  }
  std::unique_ptr<ArrivalStream> clone() const override { return std::make_unique<PoissonStream>(*this); }
  void split(std::uint64_t branch) override { random_ = random_.split(branch); }
  void restart(double now_s) override { date_s_ = now_s; }

 private:
  double mean_gap_s_;
  double date_s_ = 0;
  RandomStream random_;
};

class Poisson final : public ArrivalSpec {
 public:
  explicit Poisson(double rate_hz) : rate_hz_(rate_hz) {}

  std::unique_ptr<ArrivalStream> start(std::uint64_t seed, std::uint64_t key) const override {
    return std::make_unique<PoissonStream>(rate_hz_, seed, key);
  }
  double mean_rate_hz() const override { return rate_hz_; }
  bool is_poisson() const override { return true; }
  bool restarts() const override { return true; }

 private:
  double rate_hz_;
};

const ArrivalRegistration kRegistration({.name = "poisson",
                                         .keys = {"rho", "rate_hz", "load"},
                                         .read = [](io::MapReader& reader, const ArrivalContext& context) {
                                           return make_poisson(read_rate_hz(reader, context));
                                         }});

}  // namespace

std::unique_ptr<ArrivalSpec> make_poisson(double rate_hz) {
  return std::make_unique<Poisson>(require_rate(rate_hz));
}

}  // namespace fluidbatch::workloads
