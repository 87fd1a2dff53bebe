// A trace: dates of what is accepted never fall, whole, sliced or sent over an uplink.
#include "tests/fuzz/target.h"
#include "workloads/traffic/trace_file.h"

namespace fluidbatch::fuzz {
namespace {

void read_with(const std::string& input, const workloads::TraceOptions& options) {
  const workloads::Trace trace = workloads::load_trace(file_of("input.csv", input), options);
  double last_s = 0;
  for (const workloads::Arrival& arrival : trace.arrivals) {
    const double date_s = options.dates_of_sending ? arrival.sent_s : arrival.date_s;
    require(date_s >= last_s, "dates fall");
    last_s = date_s;
  }
}

void read(const std::string& input) {
  for (const bool dates_of_sending : {false, true}) {
    try {
      read_with(input, {.dates_of_sending = dates_of_sending});
      read_with(input, {.time_scale = 0.25, .from_s = 1, .to_s = 100, .dates_of_sending = dates_of_sending});
    } catch (const io::InputError&) {  // which the other reading may accept
    }
  }
}

const TargetRegistration kRegistration({"trace", read});

}  // namespace
}  // namespace fluidbatch::fuzz
