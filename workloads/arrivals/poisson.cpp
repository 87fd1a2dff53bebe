// Poisson arrivals of one device: independent exponential gaps.
#include "workloads/arrivals.h"
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
  if (*given == "rate_hz") return std::make_unique<Poisson>(value);
  if (context.reference_latency_s <= 0) {
    throw io::InputError(reader.mark_of("rho"), "rho needs a reference NPU on which a sample takes time");
  }
  return std::make_unique<Poisson>(value / context.reference_latency_s);
}

const ArrivalRegistration kRegistration(
    {.name = "poisson", .summary = "independent exponential gaps", .keys = {"rho", "rate_hz"}, .read = read});

}  // namespace
}  // namespace fluidbatch::workloads
