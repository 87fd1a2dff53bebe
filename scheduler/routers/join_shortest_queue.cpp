// To the server with the fewest requests in the system, however long each of them takes there.
#include "scheduler/registry.h"

namespace fluidbatch::scheduler {
namespace {

class JoinShortestQueue final : public Router {
 public:
  std::size_t route(const FleetView& view) override {
    std::size_t best = 0;
    std::size_t fewest = view.in_system(0);
    for (std::size_t server = 1; server < view.servers() && fewest > 0; ++server) {
      const std::size_t requests = view.in_system(server);
      if (requests >= fewest) continue;
      best = server;
      fewest = requests;
    }
    return best;
  }
  std::unique_ptr<Router> clone() const override { return std::make_unique<JoinShortestQueue>(*this); }
};

const RouterRegistration kRegistration({.name = "join_shortest_queue",
                                        .summary = "the server with the fewest requests, queued or in flight",
                                        .parameters = {},
                                        .make = [](const ParameterValues&) {
                                          return std::make_unique<JoinShortestQueue>();
                                        }});

}  // namespace
}  // namespace fluidbatch::scheduler
