// Poisson arrivals of one device: independent exponential gaps.
#include "workloads/arrivals.h"
#include "workloads/io/text_number.h"
#include "workloads/random.h"

namespace fluidbatch::workloads {
namespace {

class PoissonStream final : public ArrivalStream {
 public:
  PoissonStream(double rate_hz, std::uint64_t seed)
      : mean_gap_s_(1 / rate_hz), random_(seed, "arrivals", 0) {}

  bool next(Arrival& arrival) override {
    date_s_ += mean_gap_s_ * random_.exponential();
    arrival = {.date_s = date_s_, .device = 0, .exit = -1};
    return true;
  }

 private:
  double mean_gap_s_;
  double date_s_ = 0;
  RandomStream random_;
};

class Poisson final : public ArrivalSpec {
 public:
  explicit Poisson(double rate_hz) : rate_hz_(rate_hz) {}

  std::unique_ptr<ArrivalStream> start(std::uint64_t seed) const override {
    return std::make_unique<PoissonStream>(rate_hz_, seed);
  }

 private:
  double rate_hz_;
};

std::unique_ptr<ArrivalSpec> read(io::MapReader& reader, const ArrivalContext& context) {
  const std::vector<std::string> keys{"rho", "rate_hz"};
  const auto given = reader.one_of(keys);
  if (!given) throw io::InputError(reader.mark(), "poisson arrivals need one of " + io::quoted_list(keys));
  const double value = reader.number(*given, io::Range::positive());
  const double rate_hz = *given == "rate_hz" ? value : value / context.reference_latency_s;
  // Beyond these, dates run out of digits or out of range.
  if (!(rate_hz >= 1e-9 && rate_hz <= 1e12)) {
    throw io::InputError(
        reader.mark_of(*given),
        "the arrival rate must be from 1e-09 to 1e+12 per second, found " + io::shortest(rate_hz));
  }
  return std::make_unique<Poisson>(rate_hz);
}

const ArrivalRegistration kRegistration(
    {.name = "poisson", .summary = "independent exponential gaps", .keys = {"rho", "rate_hz"}, .read = read});

}  // namespace
}  // namespace fluidbatch::workloads
