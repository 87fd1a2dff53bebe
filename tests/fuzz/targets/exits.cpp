// Exits from a file: recorded confidences, and the column `exit` of a trace.
#include "tests/fuzz/target.h"
#include "tests/support/workload_helpers.h"
#include "workloads/traffic/trace_file.h"

namespace fluidbatch::fuzz {
namespace {

constexpr int kExits = 3;

void read(const std::string& input) {
  const std::filesystem::path file = file_of("input.csv", input);
  const workloads::Devices devices = test::devices_of("{arrivals: {kind: poisson, rate_hz: 10}}");
  try {
    const auto exits =
        test::exits_of("{kind: confidences, path: '" + file.string() + "', threshold: 0.5}", kExits, devices);
    workloads::Arrival request = workloads::Arrival::at(0);
    exits->start(1, devices.keys())->draw({&request, 1});
    require(request.exit >= 0 && request.exit < kExits, "an exit that the network does not have");
  } catch (const io::InputError&) {  // may still be a trace
  }
  for (const int exit : workloads::load_exits(file, kExits)) {
    require(exit >= 0 && exit < kExits, "an exit that the network does not have");
  }
}

const TargetRegistration kRegistration({"exits", read});

}  // namespace
}  // namespace fluidbatch::fuzz
