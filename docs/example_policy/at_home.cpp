// A router: each service has a server of its own, and goes elsewhere only where that one is crowded.
#include "scheduler/registry.h"

namespace fluidbatch::scheduler {
namespace {

class AtHome final : public Router {
 public:
  explicit AtHome(int crowd) : crowd_(static_cast<std::size_t>(crowd)) {}

  std::size_t route(const FleetView& view) override {
    const std::size_t home = view.service() % view.servers();
    for (std::size_t i = 0; i < view.servers(); ++i) {
      const std::size_t server = (home + i) % view.servers();
      if (view.in_system(server) < crowd_) return server;
    }
    return home;
  }
  std::unique_ptr<Router> clone() const override { return std::make_unique<AtHome>(*this); }

 private:
  std::size_t crowd_;
};

const RouterRegistration kRegistration(
    {.name = "at_home",
     .summary = "each service's own server, unless that is crowded",
     .parameters = {{.name = "crowd",
                     .default_value = 8,
                     .min = 1,
                     .max = 1'000'000,
                     .integer = true,
                     .meaning = "requests at a server from which on it is crowded"}},
     .make = [](const ParameterValues& values) {
       return std::make_unique<AtHome>(values.integer("crowd"));
     }});

}  // namespace
}  // namespace fluidbatch::scheduler
