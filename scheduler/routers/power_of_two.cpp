// The power of two choices (Mitzenmacher, 2001): of two servers drawn at random, the one with fewer requests.
// Nearly as good as looking at all of them, for two looks.
#include <algorithm>

#include "scheduler/registry.h"

namespace fluidbatch::scheduler {
namespace {

class PowerOfTwo final : public Router {
 public:
  std::size_t route(const FleetView& view) override {
    const std::size_t servers = view.servers();
    if (servers == 1) return 0;
    const std::size_t drawn = view.draw(servers);
    std::size_t other = view.draw(servers - 1);
    if (other >= drawn) ++other;  // of those that are left
    const auto [low, high] = std::minmax(drawn, other);
    return view.in_system(high) < view.in_system(low) ? high : low;
  }
  std::unique_ptr<Router> clone() const override { return std::make_unique<PowerOfTwo>(*this); }
};

const RouterRegistration kRegistration(
    {.name = "power_of_two",
     .summary = "of two servers drawn at random the one with fewer requests, queued or in flight",
     .parameters = {},
     .make = [](const ParameterValues&) { return std::make_unique<PowerOfTwo>(); }});

}  // namespace
}  // namespace fluidbatch::scheduler
