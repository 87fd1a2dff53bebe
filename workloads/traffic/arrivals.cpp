#include "workloads/traffic/arrivals.h"

#include <stdexcept>
#include <utility>

#include "workloads/io/text_number.h"
#include "workloads/kind_registry.h"

namespace fluidbatch::workloads {

std::vector<int> ArrivalSpec::exits(int /*exits*/, const io::Mark& asked_at) const {
  throw io::InputError(asked_at, "these arrivals name no exits; give the path of a CSV with a column 'exit'");
}

double Rate::in_hz(const ArrivalContext& context) const {
  switch (unit) {
    case Unit::hz:
      return value;
    case Unit::rho:
      return value / context.reference_latency_s;
    case Unit::load:
      return value / context.least_npu_time_s();
  }
  return value;
}

std::optional<std::string> objection_to_rate(double rate_hz, bool may_be_zero) {
  const bool good = (rate_hz >= 1e-9 && rate_hz <= 1e12) || (may_be_zero && rate_hz == 0);
  if (good) return std::nullopt;
  return "the arrival rate must be from 1e-09 to 1e+12 per second, found " + io::shortest(rate_hz);
}

double require_rate(double rate_hz) {
  if (const auto objection = objection_to_rate(rate_hz)) throw std::invalid_argument(*objection);
  return rate_hz;
}

double read_rate_hz(io::MapReader& reader, const ArrivalContext& context, bool may_be_zero) {
  const std::string given = reader.required_one_of({"rho", "rate_hz", "load"});
  Rate rate{.value = reader.number(given, may_be_zero ? io::Range::non_negative() : io::Range::positive())};
  if (given == "rho") rate.unit = Rate::Unit::rho;
  if (given == "load") rate.unit = Rate::Unit::load;
  const double rate_hz = rate.in_hz(context);
  if (const auto objection = objection_to_rate(rate_hz, may_be_zero)) {
    throw io::InputError(reader.mark_of(given), *objection);
  }
  return rate_hz;
}

ArrivalRegistration::ArrivalRegistration(ArrivalKind kind) {
  KindRegistry<ArrivalKind>::instance().add(std::move(kind));
}

void define_arrivals(ArrivalKind kind) { KindRegistry<ArrivalKind>::instance().define(std::move(kind)); }

std::unique_ptr<ArrivalSpec> read_arrivals(const io::Node& node, const ArrivalContext& context,
                                           io::Node& resolved) {
  return KindRegistry<ArrivalKind>::instance().read(node, "arrivals", context, resolved);
}

}  // namespace fluidbatch::workloads
