// Independent gamma gaps: steadier (CV below 1) or burstier (above 1) than Poisson arrivals of the same rate.
#include "workloads/random.h"
#include "workloads/traffic/processes.h"

namespace fluidbatch::workloads {
namespace {

// Beyond 100 nearly all gaps are smaller than a double can tell.
constexpr io::Range kCvs{.min = 0, .max = 100, .above_min = true};

class GammaStream final : public ArrivalStream {
 public:
  GammaStream(double rate_hz, double shape, std::uint64_t seed, std::uint64_t key)
      : mean_gap_s_(1 / rate_hz), shape_(shape), random_(seed, "arrivals", key) {}

  void draw(std::span<double> dates) override {
    for (double& date_s : dates) date_s = date_s_ += mean_gap_s_ * random_.gamma(shape_);
  }
  std::unique_ptr<ArrivalStream> clone() const override { return std::make_unique<GammaStream>(*this); }
  void split(std::uint64_t branch) override { random_ = random_.split(branch); }

 private:
  double mean_gap_s_;
  double shape_;
  double date_s_ = 0;
  RandomStream random_;
};

class Gamma final : public ArrivalSpec {
 public:
  Gamma(double rate_hz, double cv) : rate_hz_(rate_hz), shape_(1 / (cv * cv)) {}

  std::unique_ptr<ArrivalStream> start(std::uint64_t seed, std::uint64_t key) const override {
    return std::make_unique<GammaStream>(rate_hz_, shape_, seed, key);
  }
  double mean_rate_hz() const override { return rate_hz_; }

 private:
  double rate_hz_;
  double shape_;
};

std::unique_ptr<ArrivalSpec> read(io::MapReader& reader, const ArrivalContext& context) {
  const double rate_hz = read_rate_hz(reader, context);
  return make_gamma(rate_hz, reader.number("cv", kCvs));
}

const ArrivalRegistration kRegistration({.name = "gamma",
                                         .keys = {"rho", "rate_hz", "load", "cv"},
                                         .read = read});

}  // namespace

std::unique_ptr<ArrivalSpec> make_gamma(double rate_hz, double cv) {
  return std::make_unique<Gamma>(require_rate(rate_hz), io::require_in(kCvs, cv, "cv"));
}

}  // namespace fluidbatch::workloads
