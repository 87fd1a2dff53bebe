// The serving core: one NPU, its queue and its batches, as a state machine over exact dates.
#pragma once

#include <algorithm>
#include <cstddef>

#include "npu_model/batch_policy_table.h"
#include "scheduler/policy.h"
#include "sim/core/decision_text.h"
#include "sim/core/observer.h"
#include "sim/core/server_options.h"
#include "sim/core/server_state.h"
#include "sim/core/serving_core.h"
#include "workloads/traffic/request_stream.h"

namespace fluidbatch::sim {

/// The serving core.
///
/// A step takes the active batch to the next layer boundary at which something happens: a sample leaves or,
/// where an exit control decides at run time, might leave, the batch merges with the one that it has
/// preempted, or the policy wants to be asked and there is somebody to ask about. All events of a date are
/// applied in this order: step end (its exits leave, an emptied batch is popped, batches merge), arrivals,
/// timer; then one decision is asked for. Throws InvariantViolation where a conservation law is broken, and
/// scheduler::PolicyError where a decision is not allowed. `Sink` is an Observer whose type is known here, so
/// that its calls are inlined: what collects the statistics.
template <typename Sink>
class Server final : public ServingCore {
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
  [[nodiscard]] const npu::BatchPolicyTable& table() const override { return table_; }
  [[nodiscard]] double now_s() const override { return state_.event_s; }
  [[nodiscard]] const ServerState& state() const override { return state_; }
  void finish() const override;

 private:
  static constexpr double kNever = ServerState::kNever;

  [[nodiscard]] bool running() const { return !idle(); }

  /// `call` is a call of an Observer's.
  template <typename Call>
  void tell(const Call& call) {
    call(sink_);
    if (observer_ != nullptr) call(*observer_);
  }

  void apply_events_of(double date_s);
  void read_ahead();
  void advance_stream();
  void admit(const workloads::Arrival& arrival);
  void admit_before(double date_s);
  void admit_up_to(double date_s);

  void end_step();
  [[nodiscard]] int next_exit_layer(int layer) const;
  bool leave_where_decided(double date_s);
  [[nodiscard]] scheduler::ExitRule rule_of(const scheduler::ExitView& view) const;
  void begin_run(double date_s);
  void begin_step(double date_s);
  void plan_step();
  void report_refusal();
  [[nodiscard]] double date_before(int layer) const;
  [[nodiscard]] int next_stop() const;

  [[nodiscard]] bool must_decide() const;
  [[nodiscard]] scheduler::ServerView view_at(double date_s) const;
  void decide(double date_s);
  [[nodiscard]] scheduler::Decision ask(double date_s);
  bool carry_out(const scheduler::Decision& decision, double date_s);
  [[nodiscard]] DecisionPlace place_of(double date_s) const;
  [[noreturn]] void refuse(const scheduler::Decision& decision, double date_s, const char* why) const;
  [[nodiscard]] std::size_t hopeless(double date_s) const;
  void drop(std::size_t samples, double date_s);
  void take_from_queue(double date_s, const scheduler::Decision& decision);

  void leave(scheduler::Request& request, double date_s);
  void end_stay(scheduler::Request& request, double date_s);
  void hand_over_completed();
  void elapse(double date_s);

  const npu::BatchPolicyTable& table_;
  ServerOptions options_;
  scheduler::Policy& policy_;
  ExitSource exits_;
  workloads::RequestStream& stream_;
  bool stream_listens_ = false;
  Sink& sink_;
  Observer* observer_ = nullptr;
  const int segments_ = table_.segments();
  const scheduler::Boundary boundary_ = options_.traits.boundary;
  const std::size_t max_batch_ = static_cast<std::size_t>(options_.traits.max_batch);
  ServerState state_;
  const scheduler::ExitOracle oracle_ =
      options_.traits.oracle ? scheduler::ExitOracle(state_.requests) : scheduler::ExitOracle();
};

}  // namespace fluidbatch::sim
