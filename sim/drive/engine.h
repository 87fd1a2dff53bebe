// The drivers: what makes the serving core's time pass.
#pragma once

#include "sim/core/serving_core.h"
#include "sim/drive/delivered_requests.h"
#include "sim/drive/driver.h"
#include "workloads/traffic/devices.h"
#include "workloads/uplink/uplink.h"

namespace fluidbatch::sim {

/// Runs `server` to its end and checks that nothing was lost; every driver gives the same bytes.
/// Not for a server that SimGrid's links bring requests to, but see below.
/// A SimGrid driver can be used once in a process, since SimGrid's clock is global to it: a second use
/// throws std::logic_error. Fork (child_process.h) for each simulation.
void drive(ServingCore& server, Driver driver);

/// A server behind links that SimGrid simulates.
struct LinkedServer {
  ServingCore& server;
  DeliveredRequests& delivered;     ///< the server's stream
  workloads::RequestStream& sends;  ///< what the devices send
  const workloads::Devices& devices;
  const workloads::UplinkSpec& uplink;
};

/// As `drive` with SimGrid: a host and a link for each device, and the access point's link in front of the
/// server's host (model CM02: max-min fair, no cross-traffic). Only the delay of propagation is added outside
/// SimGrid, whose CM02 would give devices with a longer one a smaller share.
void drive_over_links(LinkedServer& linked);

}  // namespace fluidbatch::sim
