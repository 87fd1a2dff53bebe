// A sample every period, as a camera sends them, each perhaps a little late.
#include <cmath>

#include "workloads/io/text_number.h"
#include "workloads/random.h"
#include "workloads/traffic/processes.h"

namespace fluidbatch::workloads {
namespace {

constexpr io::Range kPeriods_ms{.min = 1e-9, .max = 1e12};

/// Sample n is sent at phase + n periods + a delay that is uniform from 0 to the jitter. Dates are products,
/// not sums, so that a camera keeps its beat for ever.
class PeriodicStream final : public ArrivalStream {
 public:
  PeriodicStream(const Cadence& cadence, std::uint64_t seed, std::uint64_t key)
      : cadence_(cadence), random_(seed, "arrivals", key) {
    if (std::isnan(cadence_.phase_s)) cadence_.phase_s = random_.uniform() * cadence_.period_s;
  }

  void draw(std::span<double> dates) override {
    for (double& date_s : dates) date_s = next();
  }
  std::unique_ptr<ArrivalStream> clone() const override { return std::make_unique<PeriodicStream>(*this); }
  void split(std::uint64_t branch) override { random_ = random_.split(branch); }

 private:
  double next() {
    double date_s = cadence_.phase_s + static_cast<double>(samples_++) * cadence_.period_s;
    if (cadence_.jitter_s > 0) date_s += random_.uniform() * cadence_.jitter_s;
    return last_s_ = std::fmax(last_s_, date_s);  // with a jitter of a whole period, against the last digit
  }

  Cadence cadence_;
  std::uint64_t samples_ = 0;
  double last_s_ = 0;
  RandomStream random_;
};

class Periodic final : public ArrivalSpec {
 public:
  explicit Periodic(const Cadence& cadence) : cadence_(cadence) {}

  std::unique_ptr<ArrivalStream> start(std::uint64_t seed, std::uint64_t key) const override {
    return std::make_unique<PeriodicStream>(cadence_, seed, key);
  }
  double mean_rate_hz() const override { return 1 / cadence_.period_s; }
  bool is_random() const override { return cadence_.jitter_s > 0; }

 private:
  Cadence cadence_;
};

double read_period_s(io::MapReader& reader, const ArrivalContext& context) {
  if (reader.required_one_of({"period_ms", "rho", "rate_hz", "load"}) != "period_ms")
    return 1 / read_rate_hz(reader, context);
  return reader.number("period_ms", kPeriods_ms) / 1000;
}

/// `random`, or milliseconds.
double read_phase_s(io::MapReader& reader, double period_s) {
  const io::Node* node = reader.child("phase_ms");
  if (node == nullptr || io::is_word(*node, "random")) {
    reader.resolve("phase_ms", io::Node::text("random"));
    return std::numeric_limits<double>::quiet_NaN();
  }
  if (node->kind != io::Node::Kind::scalar || node->quoted || !io::parse_number(node->scalar)) {
    throw io::InputError(node->mark,
                         "phase_ms must be a number of milliseconds or 'random', found " + describe(*node));
  }
  return reader.number("phase_ms", {.min = 0, .max = period_s * 1000}) / 1000;
}

std::unique_ptr<ArrivalSpec> read(io::MapReader& reader, const ArrivalContext& context) {
  Cadence cadence;
  cadence.period_s = read_period_s(reader, context);
  cadence.phase_s = read_phase_s(reader, cadence.period_s);
  cadence.jitter_s = reader.number("jitter_ms", {.min = 0, .max = cadence.period_s * 1000}, 0) / 1000;
  return make_periodic(cadence);
}

const ArrivalRegistration kRegistration({.name = "periodic",
                                         .keys = {"period_ms", "rho", "rate_hz", "load", "phase_ms",
                                                  "jitter_ms"},
                                         .read = read});

}  // namespace

std::unique_ptr<ArrivalSpec> make_periodic(const Cadence& cadence) {
  io::require_in(kPeriods_ms.ms_to_s(), cadence.period_s, "a period, in seconds,");
  const io::Range within_a_period = io::Range{.min = 0, .max = cadence.period_s * 1000}.ms_to_s();
  if (!std::isnan(cadence.phase_s)) io::require_in(within_a_period, cadence.phase_s, "a phase, in seconds,");
  io::require_in(within_a_period, cadence.jitter_s, "a jitter, in seconds,");
  return std::make_unique<Periodic>(cadence);
}

}  // namespace fluidbatch::workloads
