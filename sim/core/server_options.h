// What a server is told of the system besides its policy and its NPU.
#pragma once

#include <string>

namespace fluidbatch::sim {

struct ServerOptions {
  std::string policy = {};        ///< its name, for messages
  double slo_s = 0;               ///< latency bound at the server; may be infinite
  bool slo_from_sending = false;  ///< it counts from sending, not from arrival
  /// Drop a queued request that could not meet its deadline any more, were it run alone at once (all layers,
  /// exits ignored), when it is the oldest in the queue and a decision is due.
  bool drop_hopeless = false;
};

}  // namespace fluidbatch::sim
