// What differs between the SimGrid releases that we build on: 3.32 to 4.x.
#pragma once

#include <functional>
#include <string>

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

/// A zone whose hosts reach each other over a centre, not sealed yet.
inline simgrid::s4u::NetZone* star_zone(simgrid::s4u::Engine& engine) {
#if SIMGRID_VERSION >= 40000
  return engine.get_netzone_root()->add_netzone_star("star");
#else
  static_cast<void>(engine);
  return simgrid::s4u::create_star_zone("star");
#endif
}

inline simgrid::s4u::Host* add_host(simgrid::s4u::NetZone* zone, const std::string& name) {
#if SIMGRID_VERSION >= 40000
  return zone->add_host(name, 1e9);
#else
  return zone->create_host(name, 1e9);
#endif
}

/// A link without latency.
inline simgrid::s4u::Link* add_link(simgrid::s4u::NetZone* zone, const std::string& name, double bandwidth) {
#if SIMGRID_VERSION >= 40000
  return zone->add_link(name, bandwidth)->set_latency(0.0);
#else
  return zone->create_link(name, bandwidth)->set_latency(0.0);
#endif
}

/// Calls `callback` with every transfer that has ended, in whatever way.
inline void on_transfer_end(const std::function<void(const simgrid::s4u::Activity&)>& callback) {
#if SIMGRID_VERSION >= 33400
  simgrid::s4u::Comm::on_completion_cb([callback](const simgrid::s4u::Comm& comm) { callback(comm); });
#else
  simgrid::s4u::Activity::on_completion_cb(callback);
#endif
}

}  // namespace fluidbatch::sim
