// The serving core of a site: several NPUs, each with a queue per service, behind a router.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "scheduler/router.h"
#include "sim/core/serving_core.h"
#include "sim/core/site_server.h"
#include "sim/core/site_state.h"
#include "workloads/traffic/request_stream.h"

namespace fluidbatch::sim {

/// What an NPU of a site works with. All that is referred to must outlive the site.
template <typename Sink>
struct SiteServerParts {
  scheduler::Arbiter* arbiter = nullptr;  ///< may be null where there is one service
  bool preemptive = false;
  std::vector<LaneParts<Sink>> lanes;  ///< by service
};

/// What a site works with. Likewise.
template <typename Sink>
struct SiteCoreParts {
  std::vector<ServiceTraits> services;
  std::vector<std::size_t> service_of_device;
  std::vector<SiteServerParts<Sink>> servers;
  scheduler::Router* router = nullptr;  ///< may be null where there is one server
  workloads::RequestStream& stream;
  std::size_t read_ahead = LookAhead::kMost;  ///< as ServerOptions
  std::uint64_t seed = 1;                     ///< of what the router draws
  Observer* observer = nullptr;               ///< where not null, is told of everything after the sinks
};

/// The serving core of a site, whatever it tells of the run.
class SiteCore : public ServingCore {
 public:
  [[nodiscard]] virtual const SiteState& state() const = 0;
  /// What the router draws from here on is that of `branch` (RandomStream::split).
  virtual void split(std::uint64_t branch) = 0;
};

/// The same with its rules.
///
/// All events of a date are applied in this order: step ends (servers by number; exits leave, an emptied
/// batch is popped, batches merge), arrivals, each of which the router sends to a server, timers; then each
/// server that something has happened at asks for one decision, by number. Each lane tells its own sink of
/// what happens in it, and of its requests when all before them have left, too.
template <typename Sink>
class Site final : public SiteCore, private SiteHub, private scheduler::FleetView {
 public:
  /// At date 0.
  explicit Site(const SiteCoreParts<Sink>& parts);
  /// One that goes on from `state`; policies, arbiters, exit controls, the router and the stream are in the
  /// states that belong to it.
  Site(const SiteCoreParts<Sink>& parts, SiteState state);

  [[nodiscard]] double next_event_s() const override {
    return std::min(state_.next_arrival_s, state_.next_events.date_s());
  }
  [[nodiscard]] bool idle() const override;
  void advance(double date_s) override;
  void advance_through(double date_s) override;
  void stream_changed() override;
  [[nodiscard]] double time_scale_s() const override;
  [[nodiscard]] double now_s() const override { return state_.event_s; }
  [[nodiscard]] const SiteState& state() const override { return state_; }
  /// Draws anew when requests come that have not come yet, where that is lawful (RequestStream::restart).
  void restart_stream();
  void finish() const override;
  void split(std::uint64_t branch) override { state_.draws = state_.draws.split(branch); }

 private:
  static constexpr double kNever = SiteState::kNever;

  void apply_events_of(double date_s);
  void read_ahead();
  void route(const workloads::Arrival& arrival);
  void touch(std::size_t server);
  void wake_those_in_vain();

  // What the servers leave to the site.

  [[nodiscard]] bool nobody_comes() const override;
  void answered(std::uint32_t device, double date_s) override;
  void hand_over(scheduler::RequestId id, const scheduler::Request& request) override;

  // What the router sees.

  [[nodiscard]] std::size_t servers() const override { return servers_.size(); }
  [[nodiscard]] std::size_t service() const override { return arriving_service_; }
  [[nodiscard]] double deadline_s() const override;
  [[nodiscard]] std::size_t in_system(std::size_t server) const override {
    return servers_[server].in_system();
  }
  [[nodiscard]] double remaining_work_s(std::size_t server) const override {
    return servers_[server].remaining_work_s(state_.event_s);
  }
  [[nodiscard]] double earliest_finish_s(std::size_t server) const override {
    return servers_[server].earliest_finish_s(state_.event_s, arriving_service_);
  }
  [[nodiscard]] std::size_t draw(std::size_t below) const override;

  std::vector<std::size_t> service_of_device_;
  scheduler::Router* router_ = nullptr;
  workloads::RequestStream& stream_;
  bool stream_listens_ = false;
  Observer* observer_ = nullptr;
  SiteState state_;
  workloads::RandomStream* draws_ = &state_.draws;  // what is drawn for the router, whose view is const
  std::vector<SiteServer<Sink>> servers_;

  // Of the date that is at work.
  const workloads::Arrival* arrival_ = nullptr;
  std::size_t arriving_service_ = 0;
  std::vector<std::size_t> touched_;  // servers that something has happened at
};

}  // namespace fluidbatch::sim
