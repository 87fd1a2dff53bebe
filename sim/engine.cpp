// The one place that knows SimGrid.
#include "sim/engine.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <stdexcept>

#include <simgrid/kernel/resource/Model.hpp>
#include <xbt/log.h>

#include "sim/invariant.h"
#include "sim/simgrid_compat.h"

namespace fluidbatch::sim {
namespace {

bool is_over(const Server& server) {
  return server.next_event_s() == std::numeric_limits<double>::infinity();
}

/// The serving core as a SimGrid resource model. SimGrid asks every model for its next event and advances
/// all of them to the first. The core keeps its own exact dates: SimGrid's clock, a sum of differences, may
/// be off by a rounding, so it only says whose turn it is.
class ServingModel final : public simgrid::kernel::resource::Model {
 public:
  explicit ServingModel(Server& server) : Model("fluidbatch"), server_(server) {}

  double next_occurring_event(double now) override {
    if (is_over(server_)) return -1;  // SimGrid's word for "nothing to come"
    until_next_s_ = std::max(0.0, server_.next_event_s() - now);
    return until_next_s_;
  }

  void update_actions_state(double /*now*/, double delta) override {
    // A smaller delta is another model's event, before ours.
    if (delta >= until_next_s_ && !is_over(server_)) server_.advance(server_.next_event_s());
  }

 private:
  Server& server_;
  double until_next_s_ = 0;
};

void run_on_simgrid(Server& server) {
  static bool used = false;
  if (used) throw std::logic_error("SimGrid's clock is global: one simulation per process");
  used = true;
  xbt_log_control_set("root.thresh:warning");
  simgrid::s4u::Engine engine("fluidbatch");
  // SimGrid merges events closer than this; its default of 1e-9 s is coarser than our dates.
  simgrid::s4u::Engine::set_config("surf/precision:1e-15");
  auto* root = root_zone(engine);
  engine.add_model(std::make_shared<ServingModel>(server));
  root->seal();
  engine.run();
  // SimGrid returns from a deadlock as if all was well.
  require_invariant(is_over(server), "the engine runs until the last event");
}

void run_bare(Server& server) {
  while (!is_over(server)) server.advance(server.next_event_s());
}

}  // namespace

void drive(Server& server, Driver driver) {
  switch (driver) {
    case Driver::simgrid:
      run_on_simgrid(server);
      break;
    case Driver::bare:
      run_bare(server);
      break;
  }
  server.finish();
}

}  // namespace fluidbatch::sim
