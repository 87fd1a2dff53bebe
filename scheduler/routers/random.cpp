// Any server with the same probability: the arrivals of each are a thinned stream of all.
#include "scheduler/registry.h"

namespace fluidbatch::scheduler {
namespace {

class Random final : public Router {
 public:
  std::size_t route(const FleetView& view) override { return view.draw(view.servers()); }
  std::unique_ptr<Router> clone() const override { return std::make_unique<Random>(*this); }
};

const RouterRegistration kRegistration({.name = "random",
                                        .summary = "a server drawn at random",
                                        .parameters = {},
                                        .make = [](const ParameterValues&) {
                                          return std::make_unique<Random>();
                                        }});

}  // namespace
}  // namespace fluidbatch::scheduler
