#include "workloads/traffic/arrivals.h"

#include <utility>

#include "workloads/io/text_number.h"
#include "workloads/kind_registry.h"

namespace fluidbatch::workloads {

std::vector<int> ArrivalSpec::exits(int /*exits*/, const io::Mark& asked_at) const {
  throw io::InputError(asked_at, "these arrivals name no exits; give the path of a CSV with a column 'exit'");
}

double read_rate_hz(io::MapReader& reader, const ArrivalContext& context, bool may_be_zero) {
  const std::vector<std::string> keys{"rho", "rate_hz", "load"};
  const auto given = reader.one_of(keys);
  if (!given) throw io::InputError(reader.mark(), reader.what() + " needs one of " + io::quoted_list(keys));
  const double value = reader.number(*given, may_be_zero ? io::Range::non_negative() : io::Range::positive());
  double rate_hz = value;
  if (*given == "rho") rate_hz = value / context.reference_latency_s;
  if (*given == "load") rate_hz = value / context.least_npu_time_s();
  // Beyond these, dates run out of digits or out of range.
  const bool good = (rate_hz >= 1e-9 && rate_hz <= 1e12) || (may_be_zero && rate_hz == 0);
  if (!good) {
    throw io::InputError(
        reader.mark_of(*given),
        "the arrival rate must be from 1e-09 to 1e+12 per second, found " + io::shortest(rate_hz));
  }
  return rate_hz;
}

ArrivalRegistration::ArrivalRegistration(ArrivalKind kind) {
  KindRegistry<ArrivalKind>::instance().add(std::move(kind));
}

std::unique_ptr<ArrivalSpec> read_arrivals(const io::Node& node, const ArrivalContext& context,
                                           io::Node& resolved) {
  return KindRegistry<ArrivalKind>::instance().read(node, "arrivals", context, resolved);
}

}  // namespace fluidbatch::workloads
