// One NPU of a site: its services, and the arbiter that says whose turn it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "scheduler/arbiter.h"
#include "sim/core/lane.h"
#include "sim/core/site_state.h"

namespace fluidbatch::sim {

/// A service as the arbiters of a site see it.
struct ServiceTraits {
  int priority = 0;
  double weight = 1;
};

/// What a lane of a site works with. All that is referred to must outlive it.
template <typename Sink>
struct LaneParts {
  const npu::BatchPolicyTable& table;
  ServerOptions options;
  scheduler::Policy& policy;
  ExitSource exits;
  Sink& sink;
};

/// What the servers of a site leave to it.
class SiteHub {
 public:
  SiteHub() = default;
  SiteHub(const SiteHub&) = delete;
  SiteHub& operator=(const SiteHub&) = delete;
  virtual ~SiteHub() = default;

  /// Whether no request comes to the site any more.
  [[nodiscard]] virtual bool nobody_comes() const = 0;
  /// A request of this device has ended its stay.
  virtual void answered(std::uint32_t device, double date_s) = 0;
  /// All requests before this one have ended their stays, and it has.
  virtual void hand_over(scheduler::RequestId id, const scheduler::Request& request) = 0;
};

template <typename Sink>
class SiteServer;

/// A service on one NPU of a site. Requests are pushed into it, and it waits for its turn.
template <typename Sink>
class SiteLane final : private Lane<SiteLane<Sink>, Sink> {
  using Rules = Lane<SiteLane<Sink>, Sink>;
  friend Rules;
  friend SiteServer<Sink>;

 public:
  SiteLane(const LaneParts<Sink>& parts, Observer* observer, SiteHub& hub, scheduler::RequestWindow& window,
           SiteServerState& server, LaneState& state)
      : Rules(parts.table, parts.options, parts.policy, parts.exits, parts.sink, observer),
        hub_(hub),
        window_(window),
        server_(server),
        state_(state) {}

 private:
  // What a lane asks of its host.

  static constexpr bool kPlain = false;
  [[nodiscard]] LaneState& lane_state() { return state_; }
  [[nodiscard]] const LaneState& lane_state() const { return state_; }
  [[nodiscard]] scheduler::RequestWindow& window() { return window_; }
  [[nodiscard]] const scheduler::RequestWindow& window() const { return window_; }
  [[nodiscard]] double waited_from_s() const { return server_.waited_from_s; }
  [[nodiscard]] double others_wait_from_s() const { return server_.others_wait_from_s; }
  void wait(const scheduler::Decision& decision, double /*date_s*/) { waiting_ = decision; }
  void has_started() {}
  void answered(std::uint32_t device, double date_s) {
    --server_.in_system;
    hub_.answered(device, date_s);
  }
  void hand_over(scheduler::RequestId id, const scheduler::Request& request) { hub_.hand_over(id, request); }

  SiteHub& hub_;
  scheduler::RequestWindow& window_;
  SiteServerState& server_;
  LaneState& state_;
  scheduler::Decision waiting_;  // the last answer to wait
};

/// One NPU of a site. The rules of who gets the NPU are in docs/model.md, "Sites".
template <typename Sink>
class SiteServer {
 public:
  /// What does not belong to one service. `arbiter` may be null where there is one service. All that is
  /// referred to must outlive the server; `window` and `state` are the site's, with a lane for each of
  /// `lanes`.
  struct Parts {
    std::uint16_t number = 0;
    scheduler::Arbiter* arbiter = nullptr;
    bool preemptive = false;
    std::span<const ServiceTraits> services;
    std::span<const LaneParts<Sink>> lanes;
    Observer* observer = nullptr;
    SiteHub& hub;
    scheduler::RequestWindow& window;
    SiteServerState& state;
  };

  explicit SiteServer(const Parts& parts);

  /// Date of its next event; infinity where only an arrival can set one off.
  [[nodiscard]] double next_event_s() const { return idle() ? state_.timer_s : active().state_.step.end_s; }
  [[nodiscard]] bool idle() const { return state_.active == SiteServerState::kNone; }
  /// Whether it is idle with requests in its queues, and nothing but an arrival can change that.
  [[nodiscard]] bool waits_for_arrivals() const {
    return state_.waits && state_.timer_s == SiteServerState::kNever;
  }

  // In this order, of one date:

  /// Its next event has come: the end of a step, whose exits leave, or a timer.
  void begin_date(double date_s);
  /// A request has come to it.
  void admit(const workloads::Arrival& arrival, std::size_t service);
  /// Nothing more comes at this date: who gets the NPU.
  void end_date(double date_s);

  // What routers may ask (scheduler::FleetView).

  [[nodiscard]] std::size_t in_system() const { return static_cast<std::size_t>(state_.in_system); }
  /// Of all its requests, as FleetView::remaining_work_s.
  [[nodiscard]] double remaining_work_s(double now_s) const;
  /// When a request of that service that comes now would be answered, as FleetView::earliest_finish_s.
  [[nodiscard]] double earliest_finish_s(double now_s, std::size_t service) const;

  [[nodiscard]] double time_scale_s() const;
  /// As ServingCore::finish, of each service.
  void finish() const;
  /// What the lane of a service tells.
  [[nodiscard]] Sink& sink_of(std::size_t service) const { return lanes_[service].sink_; }
  /// The bound that a service has here.
  [[nodiscard]] scheduler::ServerSlo slo_of(std::size_t service) const {
    return lanes_[service].options_.slo;
  }

 private:
  using Lane = SiteLane<Sink>;
  static constexpr double kNever = SiteServerState::kNever;
  static constexpr std::size_t kNone = SiteServerState::kNone;

  [[nodiscard]] Lane& active() { return lanes_[state_.active]; }
  [[nodiscard]] const Lane& active() const { return lanes_[state_.active]; }
  Lane& turn_to(std::size_t service);

  /// What has the NPU before those whose policies are asked, unless they are strictly before it.
  enum class After {
    nothing,
    active,  ///< the active batch, which they would push off
    parked,  ///< the stack that was parked last
  };

  void end_step(double date_s);
  void begin_stay(std::size_t service, double date_s);
  void end_stay(double date_s);
  void begin_step(double date_s);
  void at_boundary(double date_s);
  void decide(double date_s);
  void serve(double date_s);
  bool start_one(double date_s, After after);
  void start_in_vain(double date_s);
  void park(double date_s);
  void come_back(double date_s);
  void drop_hopeless(std::size_t service, double date_s);
  void drop_hopeless_of_all(double date_s);
  [[nodiscard]] bool at_segment_boundary() const;
  [[nodiscard]] bool others_wait() const;

  [[nodiscard]] scheduler::ArbiterView look(double date_s);
  [[nodiscard]] scheduler::Contender contender(std::size_t service, scheduler::RequestId id) const;
  void keep_those_before(const scheduler::ArbiterView& view, std::size_t of, const BatchStack& stack,
                         std::size_t but);
  [[nodiscard]] int current_layer(double now_s) const;

  const std::uint16_t number_;
  scheduler::Arbiter* arbiter_;
  const bool preemptive_;
  Observer* observer_;
  SiteHub& hub_;
  scheduler::RequestWindow& window_;
  SiteServerState& state_;
  std::vector<Lane> lanes_;
  bool drops_hopeless_ = false;

  // Of the date that is at work.
  bool at_boundary_ = false;           // a step has ended, its batch has samples left, and no step has begun
  std::size_t left_ = kNone;           // the service whose step has ended
  std::size_t first_in_vain_ = kNone;  // of those that wait, the one that starts where nobody comes any more

  // Kept for their memory.
  std::vector<scheduler::ServiceView> views_;
  std::vector<scheduler::Contender> heads_;
  std::vector<scheduler::Contender> in_flight_;
};

}  // namespace fluidbatch::sim
