#include "sim/drive/driver_choice.h"

#include "workloads/io/input_error.h"

namespace fluidbatch::sim {
namespace {

bool has_links(const workloads::UplinkSpec& uplink) {
  return uplink.model == workloads::UplinkSpec::Model::simgrid;
}

}  // namespace

void check_driver(Driver driver, const workloads::UplinkSpec& uplink) {
  if (driver == Driver::simgrid || !has_links(uplink)) return;
  throw io::InputError(
      "--driver: uplink simgrid needs driver simgrid, since its links make events of their own; set "
      "workload.uplink.model=analytic for another");
}

Driver bulk_driver(std::optional<Driver> asked, const workloads::UplinkSpec& uplink) {
  const Driver driver = asked.value_or(has_links(uplink) ? Driver::simgrid : Driver::simgrid_window);
  check_driver(driver, uplink);
  return driver;
}

}  // namespace fluidbatch::sim
