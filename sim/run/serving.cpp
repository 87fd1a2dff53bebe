#include "sim/run/serving.h"

#include "sim/core/server_impl.h"

namespace fluidbatch::sim {

namespace {

// Instantiated here and nowhere else, implicitly: of an explicit instantiation GCC flattens nothing.
template <bool kIsPlain, typename... State>
std::unique_ptr<SingleServer> make(const ServingParts& parts, const State&... state) {
  return std::make_unique<Server<Recorder, kIsPlain>>(parts.table, parts.options, parts.policy, parts.exits,
                                                      parts.stream, parts.recorder, parts.observer, state...);
}

bool is_plain(const ServingParts& parts) {
  return parts.observer == nullptr && !parts.options.audit && parts.exits.control == nullptr;
}

}  // namespace

std::unique_ptr<SingleServer> make_server(const ServingParts& parts) {
  return is_plain(parts) ? make<true>(parts) : make<false>(parts);
}

std::unique_ptr<SingleServer> make_server(const ServingParts& parts, const ServerState& state) {
  return is_plain(parts) ? make<true>(parts, state) : make<false>(parts, state);
}

}  // namespace fluidbatch::sim
