// The one place that knows SimGrid.
#include "sim/drive/engine.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <simgrid/kernel/Timer.hpp>
#include <simgrid/kernel/resource/Model.hpp>
#include <xbt/log.h>

#include "sim/core/invariant.h"
#include "sim/drive/simgrid_compat.h"

namespace fluidbatch::sim {
namespace {

namespace sg4 = simgrid::s4u;
using simgrid::kernel::timer::Timer;

bool is_over(const ServingCore& server) {
  return server.next_event_s() == std::numeric_limits<double>::infinity();
}

/// The serving core as a SimGrid resource model. SimGrid asks every model for its next event and advances
/// all of them to the first. The core keeps its own exact dates: SimGrid's clock, a sum of differences, may
/// be off by a rounding, so it only says whose turn it is.
class ServingModel final : public simgrid::kernel::resource::Model {
 public:
  /// `alone`: nothing but the core makes events. It knows then when the next request comes to an idle NPU,
  /// and that takes no SimGrid step of its own: there is one for each step of the NPU.
  ServingModel(ServingCore& server, bool alone) : Model("fluidbatch"), server_(server), alone_(alone) {}

  double next_occurring_event(double now) override {
    if (is_over(server_)) return -1;  // SimGrid's word for "nothing to come"
    until_next_s_ = std::max(0.0, server_.next_event_s() - now);
    return until_next_s_;
  }

  void update_actions_state(double /*now*/, double delta) override {
    // A smaller delta is another model's event, before ours.
    if (delta < until_next_s_ || is_over(server_)) return;
    do {
      server_.advance(server_.next_event_s());
    } while (alone_ && server_.idle() && !is_over(server_));
  }

 private:
  ServingCore& server_;
  bool alone_;
  double until_next_s_ = 0;
};

/// The same where nothing but the core makes events: SimGrid steps from window to window, and the core runs
/// through its own events up to there.
class WindowedServingModel final : public simgrid::kernel::resource::Model {
 public:
  explicit WindowedServingModel(ServingCore& server)
      : Model("fluidbatch"), server_(server), window_s_(kLatencies * server.time_scale_s()) {}

  double next_occurring_event(double now) override {
    if (is_over(server_)) return -1;
    return std::max(window_s_, server_.next_event_s() - now);
  }

  void update_actions_state(double now, double /*delta*/) override { server_.advance_through(now); }

 private:
  static constexpr double kLatencies = 1000;  // of a sample in a window: SimGrid's part is lost in the noise

  ServingCore& server_;
  double window_s_;
};

/// The engine, once in a process, set up for exact dates.
class Simulation {
 public:
  Simulation() {
    // SimGrid merges events closer than this; its default of 1e-9 s is coarser than our dates.
    configure("surf/precision:1e-15");
  }

  void configure(const std::string& setting) { sg4::Engine::set_config(setting); }
  sg4::Engine& engine() { return engine_; }

 private:
  static sg4::Engine once() {
    static bool used = false;
    if (used) throw std::logic_error("SimGrid's clock is global: one simulation per process");
    used = true;
    xbt_log_control_set("root.thresh:warning");
    return sg4::Engine("fluidbatch");
  }

  sg4::Engine engine_ = once();
};

void run_on_simgrid(ServingCore& server, std::shared_ptr<simgrid::kernel::resource::Model> model) {
  Simulation simulation;
  // No work is put on hosts and links, so their models had better be those that take the least time to say
  // that they have nothing to do.
  simulation.configure("cpu/optim:Full");
  simulation.configure("network/model:Constant");
  auto* root = root_zone(simulation.engine());
  simulation.engine().add_model(std::move(model));
  root->seal();
  simulation.engine().run();
  // SimGrid returns from a deadlock as if all was well.
  require_invariant(is_over(server), "the engine runs until the last event");
}

/// The links, and the samples on them. Timers start the transfers; no actor is needed.
class Links {
 public:
  Links(LinkedServer& linked, sg4::NetZone* zone) : linked_(linked), hub_(add_host(zone, "hub")) {
    auto* access_point =
        add_link(zone, "access_point", linked.uplink.access_point_bandwidth_bytes_per_s)->seal();
    zone->add_route(hub_->get_netpoint(), nullptr, nullptr, nullptr, {sg4::LinkInRoute(access_point)});
    for (const workloads::DeviceGroup& group : linked.devices.groups()) {
      for (std::uint32_t i = 0; i < group.devices; ++i) add_device(zone, group);
    }
    on_transfer_end([this](const sg4::Activity& transfer) { end(transfer); });
  }

  /// To be called whenever what the devices send next may have changed.
  void arm_timer() {
    const double date_s = linked_.sends.next_event_s();
    if (date_s >= armed_s_) return;
    armed_s_ = date_s;
    Timer::set(date_s, [this] { send(); });
  }

  [[nodiscard]] bool empty() const {
    return on_the_way_.empty() && linked_.sends.next_event_s() == std::numeric_limits<double>::infinity();
  }

 private:
  struct Transfer {
    sg4::CommPtr comm;
    workloads::Arrival sample;
    std::uint64_t number;  // in order of sending
  };

  void add_device(sg4::NetZone* zone, const workloads::DeviceGroup& group) {
    const std::string name = std::to_string(hosts_.size());
    sg4::Host* host = add_host(zone, "device" + name);
    std::vector<sg4::LinkInRoute> route;
    if (std::isfinite(group.bandwidth_bytes_per_s)) {
      auto* link = add_link(zone, "link" + name, group.bandwidth_bytes_per_s)->seal();
      route.emplace_back(link);
    }
    zone->add_route(host->get_netpoint(), nullptr, nullptr, nullptr, route);
    hosts_.push_back(host);
    sample_bytes_.push_back(group.sample_bytes);
  }

  /// A timer has fired: everything that is due by now is sent. (One that an earlier one has overtaken finds
  /// nothing to do.)
  void send() {
    armed_s_ = std::numeric_limits<double>::infinity();
    ended_.clear();
    while (linked_.sends.next_event_s() <= sg4::Engine::get_clock()) {
      workloads::Arrival sample;
      if (!linked_.sends.advance(sample)) continue;
      const double bytes = sample_bytes_[sample.device];
      const std::uint64_t number = sent_++;
      linked_.delivered.sent();
      if (bytes == 0) {
        deliver(sample, number);
        continue;
      }
      sg4::CommPtr transfer = sg4::Comm::sendto_init(hosts_[sample.device], hub_);
      transfer->set_payload_size(static_cast<std::uint64_t>(bytes));
      transfer->start();
      const sg4::Activity* key = transfer.get();
      on_the_way_.emplace(key, Transfer{std::move(transfer), sample, number});
    }
    arm_timer();
  }

  void end(const sg4::Activity& transfer) {
    const auto found = on_the_way_.find(&transfer);
    if (found == on_the_way_.end()) return;
    require_invariant(transfer.get_state() == sg4::Activity::State::FINISHED, "every transfer gets through");
    const Transfer ended = std::move(found->second);
    on_the_way_.erase(found);
    ended_.push_back(ended.comm);  // SimGrid still uses it when this returns; it goes with the next send
    deliver(ended.sample, ended.number);
  }

  void deliver(workloads::Arrival sample, std::uint64_t number) {
    // SimGrid's clock may be a rounding behind the server's last event.
    const double date_s = std::max(sg4::Engine::get_clock(), linked_.server.now_s());
    sample.date_s = date_s + linked_.uplink.latency_s;
    linked_.delivered.deliver(sample, number);
    linked_.server.stream_changed();
  }

  LinkedServer& linked_;
  sg4::Host* hub_;
  std::vector<sg4::Host*> hosts_;  // by device
  std::vector<double> sample_bytes_;
  std::unordered_map<const sg4::Activity*, Transfer> on_the_way_;
  std::uint64_t sent_ = 0;
  std::vector<sg4::CommPtr> ended_;
  double armed_s_ = std::numeric_limits<double>::infinity();
};

}  // namespace

void drive(ServingCore& server, Driver driver) {
  switch (driver) {
    case Driver::simgrid:
      run_on_simgrid(server, std::make_shared<ServingModel>(server, true));
      break;
    case Driver::simgrid_window:
      run_on_simgrid(server, std::make_shared<WindowedServingModel>(server));
      break;
    case Driver::bare:
      server.advance_through(std::numeric_limits<double>::infinity());
      break;
  }
  server.finish();
}

void drive_over_links(LinkedServer& linked) {
  Simulation simulation;
  // Max-min fair sharing as it is in the books: nothing of the bandwidth goes to acknowledgements or windows.
  simulation.configure("network/model:CM02");
  simulation.configure("network/crosstraffic:0");
  simulation.configure("network/TCP-gamma:0");
  auto* zone = star_zone(simulation.engine());
  Links links(linked, zone);
  simulation.engine().add_model(std::make_shared<ServingModel>(linked.server, false));
  zone->seal();
  linked.delivered.on_answer([&links] { links.arm_timer(); });
  links.arm_timer();
  simulation.engine().run();
  require_invariant(is_over(linked.server) && links.empty(), "the engine runs until the last event");
  linked.server.finish();
}

}  // namespace fluidbatch::sim
