// The serving core of one service on one NPU: a queue and batches, as a state machine over exact dates.
#pragma once

#include <algorithm>
#include <cstdint>

#include "npu_model/batch_policy_table.h"
#include "scheduler/policy.h"
#include "sim/core/lane.h"
#include "sim/core/observer.h"
#include "sim/core/server_options.h"
#include "sim/core/server_state.h"
#include "sim/core/serving_core.h"
#include "workloads/traffic/request_stream.h"

namespace fluidbatch::sim {

/// The serving core of one service on one NPU, whatever it tells of the run.
class SingleServer : public ServingCore {
 public:
  /// Where it stands. See make_server (sim/run/serving.h), which makes a core that goes on from there.
  [[nodiscard]] virtual const ServerState& state() const = 0;
  [[nodiscard]] const Conservation& conservation() const { return state().conservation; }
};

/// The same with its rules.
///
/// All events of a date are applied in this order: step end (its exits leave, an emptied batch is popped,
/// batches merge), arrivals, timer; then one decision is asked for. Throws InvariantViolation where a
/// conservation law is broken, and scheduler::PolicyError where a decision is not allowed. `kIsPlain`: there
/// is no observer, audit or exit control, and looking for them, some 25 instructions a request, is left out.
template <typename Sink, bool kIsPlain = false>
class Server final : public SingleServer, private Lane<Server<Sink, kIsPlain>, Sink> {
  using Rules = Lane<Server, Sink>;
  friend Rules;

 public:
  /// All references must outlive the server. `sink` is told of everything, and after it `observer`, where not
  /// null.
  Server(const npu::BatchPolicyTable& table, const ServerOptions& options, scheduler::Policy& policy,
         const ExitSource& exits, workloads::RequestStream& stream, Sink& sink, Observer* observer);

  /// One that goes on from `state`; `policy`, the exit control and `stream` are in the states that belong to
  /// it.
  Server(const npu::BatchPolicyTable& table, const ServerOptions& options, scheduler::Policy& policy,
         const ExitSource& exits, workloads::RequestStream& stream, Sink& sink, Observer* observer,
         ServerState state);

  [[nodiscard]] double next_event_s() const override {
    return running() ? state_.step.end_s : std::min(state_.next_arrival_s, state_.timer_s);
  }
  [[nodiscard]] bool idle() const override { return state_.stack.empty(); }
  void advance(double date_s) override;
  void advance_through(double date_s) override;
  void stream_changed() override;
  /// Admits those who come next, where that is during a step, which goes on: true then. What follows is as if
  /// they had been admitted at the end of the step, as `advance` does.
  bool admit_during_step();
  /// Draws anew when requests come that have not come yet, where that is lawful (RequestStream::restart).
  void restart_stream();
  [[nodiscard]] double time_scale_s() const override { return this->table_.single_sample_latency_s(); }
  [[nodiscard]] double now_s() const override { return state_.event_s; }
  [[nodiscard]] const ServerState& state() const override { return state_; }
  void finish() const override;

 private:
  static constexpr double kNever = ServerState::kNever;

  // What a lane asks of its host.

  static constexpr bool kPlain = kIsPlain;
  [[nodiscard]] LaneState& lane_state() { return state_; }
  [[nodiscard]] const LaneState& lane_state() const { return state_; }
  [[nodiscard]] scheduler::RequestWindow& window() { return state_.requests; }
  [[nodiscard]] const scheduler::RequestWindow& window() const { return state_.requests; }
  [[nodiscard]] double waited_from_s() const {
    return state_.queue.empty() ? state_.next_arrival_s : -kNever;
  }
  [[nodiscard]] static constexpr double others_wait_from_s() { return kNever; }
  void wait(const scheduler::Decision& decision, double date_s);
  void has_started() { state_.timer_s = kNever; }
  void answered(std::uint32_t device, double date_s);
  void hand_over(scheduler::RequestId id, const scheduler::Request& request) {
    this->tell([&](auto& observer) { observer.completed(id, request); });
  }

  using Rules::running;

  void apply_events_of(double date_s);
  void read_ahead();
  void advance_stream();
  void admit_before(double date_s);
  void admit_up_to(double date_s);

  workloads::RequestStream& stream_;
  bool stream_listens_ = false;
  ServerState state_;
};

}  // namespace fluidbatch::sim
