// Which driver goes with which uplink.
#pragma once

#include <optional>

#include "sim/drive/driver.h"
#include "workloads/uplink/uplink.h"

namespace fluidbatch::sim {

/// Throws io::InputError where `driver` can't make time pass behind `uplink`: SimGrid's links make events of
/// their own, which only its engine steps through, one by one.
void check_driver(Driver driver, const workloads::UplinkSpec& uplink);

/// The driver for runs in bulk: the one that was asked for, checked; otherwise the fastest of SimGrid's that
/// goes with `uplink`.
Driver bulk_driver(std::optional<Driver> asked, const workloads::UplinkSpec& uplink);

}  // namespace fluidbatch::sim
