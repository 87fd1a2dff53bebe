// What differs between the SimGrid releases that we build on: 3.32 to 4.x.
#pragma once

#include <simgrid/s4u.hpp>
#include <simgrid/version.h>

namespace fluidbatch::sim {

/// The root of the platform, not sealed yet.
inline simgrid::s4u::NetZone* root_zone(simgrid::s4u::Engine& engine) {
#if SIMGRID_VERSION >= 40000
  return engine.get_netzone_root();
#else
  static_cast<void>(engine);
  return simgrid::s4u::create_full_zone("root");
#endif
}

}  // namespace fluidbatch::sim
