// Independent gamma gaps: steadier (CV below 1) or burstier (above 1) than Poisson arrivals of the same rate.
#include <array>
#include <utility>

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
    auto date = dates.begin();
    if (next_s_ > 0 && date != dates.end()) *date++ = keep(std::exchange(next_s_, 0));
    for (; date != dates.end(); ++date) *date = keep(date_s_ + mean_gap_s_ * random_.gamma(shape_));
  }
  std::unique_ptr<ArrivalStream> clone() const override { return std::make_unique<GammaStream>(*this); }
  void split(std::uint64_t branch) override { random_ = random_.split(branch); }
  void restart(double now_s) override {
    std::size_t ahead = 0;
    while (ahead + 1 < recent_s_.size() && recent_s_[(dates_ - ahead) % recent_s_.size()] > now_s) ++ahead;
    if (ahead == 0) return;
    const double next_s = recent_s_[(dates_ - ahead + 1) % recent_s_.size()];
    dates_ -= ahead;
    date_s_ = recent_s_[dates_ % recent_s_.size()];
    // By rejection; where that takes too long, the one that was there is such a draw, too.
    constexpr int kTries = 100;
    next_s_ = next_s;
    for (int i = 0; i < kTries; ++i) {
      const double date_s = date_s_ + mean_gap_s_ * random_.gamma(shape_);
      if (!(date_s > now_s)) continue;
      next_s_ = date_s;
      break;
    }
  }

 private:
  double keep(double date_s) { return date_s_ = recent_s_[++dates_ % recent_s_.size()] = date_s; }

  double mean_gap_s_;
  double shape_;
  double date_s_ = 0;
  double next_s_ = 0;  // where above 0, drawn already
  std::size_t dates_ = 0;
  std::array<double, 4> recent_s_{};  // the last ones, by number
  RandomStream random_;
};

class Gamma final : public ArrivalSpec {
 public:
  Gamma(double rate_hz, double cv) : rate_hz_(rate_hz), shape_(1 / (cv * cv)) {}

  std::unique_ptr<ArrivalStream> start(std::uint64_t seed, std::uint64_t key) const override {
    return std::make_unique<GammaStream>(rate_hz_, shape_, seed, key);
  }
  double mean_rate_hz() const override { return rate_hz_; }
  bool restarts() const override { return true; }

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
