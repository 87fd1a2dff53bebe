// The servers in turn, whatever they have to do: the arrivals of each are every n-th of all.
#include "scheduler/registry.h"

namespace fluidbatch::scheduler {
namespace {

class RoundRobin final : public Router {
 public:
  std::size_t route(const FleetView& view) override {
    const std::size_t server = next_;
    next_ = next_ + 1 < view.servers() ? next_ + 1 : 0;
    return server;
  }
  std::unique_ptr<Router> clone() const override { return std::make_unique<RoundRobin>(*this); }

 private:
  std::size_t next_ = 0;
};

const RouterRegistration kRegistration({.name = "round_robin",
                                        .summary = "the servers in turn",
                                        .parameters = {},
                                        .make = [](const ParameterValues&) {
                                          return std::make_unique<RoundRobin>();
                                        }});

}  // namespace
}  // namespace fluidbatch::scheduler
