#include "sim/run/serving.h"

#include "sim/core/server_impl.h"

namespace fluidbatch::sim {

// Instantiated here and nowhere else, implicitly: of an explicit instantiation GCC flattens nothing.
std::unique_ptr<SingleServer> make_server(const ServingParts& parts) {
  return std::make_unique<Server<Recorder>>(parts.table, parts.options, parts.policy, parts.exits,
                                            parts.stream, parts.recorder, parts.observer);
}

std::unique_ptr<SingleServer> make_server(const ServingParts& parts, const ServerState& state) {
  return std::make_unique<Server<Recorder>>(parts.table, parts.options, parts.policy, parts.exits,
                                            parts.stream, parts.recorder, parts.observer, state);
}

}  // namespace fluidbatch::sim
