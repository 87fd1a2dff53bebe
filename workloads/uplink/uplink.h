// The air between the devices and the server.
#pragma once

#include <limits>

#include "workloads/io/map_reader.h"
#include "workloads/traffic/devices.h"

namespace fluidbatch::workloads {

/// Every device has a link of its own to an access point that all share; a sample crosses both at once, at
/// the rate that the max-min fair sharing of both gives it.
struct UplinkSpec {
  enum class Model {
    none,      ///< a sample is at the server when it is sent
    analytic,  ///< processor sharing, computed by the serving core
    simgrid,   ///< SimGrid's links and its flow-level model CM02
  };

  Model model = Model::none;
  double access_point_bandwidth_bytes_per_s = std::numeric_limits<double>::infinity();
  double latency_s = 0;         ///< of propagation, after the last byte has been sent
  double answer_latency_s = 0;  ///< from completion to the device; answers take no bandwidth
};

/// An uplink with what its devices have unless their group says otherwise.
struct UplinkConfig {
  UplinkSpec spec;
  DeviceDefaults devices;
};

/// `spec`. Throws std::invalid_argument for a value out of the range that docs/configuration.md gives.
UplinkSpec make_uplink(const UplinkSpec& spec);

/// Reads `uplink` of the map `workload`, and adds it to what the reader has resolved. Throws InputError.
UplinkConfig read_uplink(io::MapReader& workload);

}  // namespace fluidbatch::workloads
