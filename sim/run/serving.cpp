#include "sim/run/serving.h"

#include "sim/core/server_impl.h"

namespace fluidbatch::sim {

namespace {

// Instantiated here and nowhere else, implicitly: of an explicit instantiation GCC flattens nothing.
template <bool kMayBeObserved, typename... State>
std::unique_ptr<SingleServer> make(const ServingParts& parts, const State&... state) {
  return std::make_unique<Server<Recorder, kMayBeObserved>>(parts.table, parts.options, parts.policy,
                                                            parts.exits, parts.stream, parts.recorder,
                                                            parts.observer, state...);
}

}  // namespace

std::unique_ptr<SingleServer> make_server(const ServingParts& parts) {
  return parts.observer == nullptr ? make<false>(parts) : make<true>(parts);
}

std::unique_ptr<SingleServer> make_server(const ServingParts& parts, const ServerState& state) {
  return parts.observer == nullptr ? make<false>(parts, state) : make<true>(parts, state);
}

}  // namespace fluidbatch::sim
