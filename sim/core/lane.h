// One service on one NPU: its queue, its batches, and the policy that forms them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "npu_model/batch_policy_table.h"
#include "scheduler/policy.h"
#include "sim/core/decision_text.h"
#include "sim/core/lane_state.h"
#include "sim/core/observer.h"
#include "sim/core/server_options.h"
#include "workloads/traffic/arrivals.h"

namespace fluidbatch::sim {

/// The rules of a queue, a stack of batches and a policy, wherever requests come from and whatever else may
/// want the NPU: what Server (of one service) and SiteServer (of several) have in common.
///
/// A step takes the active batch to the next layer boundary at which something happens: a sample leaves or,
/// where an exit control decides at run time, might leave, the batch merges with the one that it has
/// preempted, or somebody wants to be asked and there is something to ask about. `Sink` is an Observer whose
/// type is known here, so that its calls are inlined. `Host` is the class that derives from this one, and has
///
///     static constexpr bool kPlain;          true where there is never an observer beside the sink, an audit
///                                            or an exit control
///     LaneState& lane_state();               where this service stands
///     scheduler::RequestWindow& window();    the requests, those of other services too
///     double waited_from_s() const;          from when on somebody is in its queue during a step
///     double others_wait_from_s() const;     from when on another service may push it off the NPU
///     void wait(const Decision&, double);    an idle NPU waits, as the policy has said at this date
///     void has_started();                    an idle NPU waits no more
///     void answered(std::uint32_t, double);  a device's request has ended its stay, at this date
///     void hand_over(RequestId, const Request&);  all before this one have ended their stays, and it has
template <typename Host, typename Sink>
class Lane {
 public:
  /// All references must outlive it. `sink` is told of everything, and after it `observer`, where not null.
  Lane(const npu::BatchPolicyTable& table, const ServerOptions& options, scheduler::Policy& policy,
       const ExitSource& exits, Sink& sink, Observer* observer);

 protected:
  static constexpr double kNever = LaneState::kNever;

  [[nodiscard]] Host& host() { return static_cast<Host&>(*this); }
  [[nodiscard]] const Host& host() const { return static_cast<const Host&>(*this); }
  [[nodiscard]] LaneState& state() { return host().lane_state(); }
  [[nodiscard]] const LaneState& state() const { return host().lane_state(); }
  [[nodiscard]] scheduler::RequestWindow& requests() { return host().window(); }
  [[nodiscard]] const scheduler::RequestWindow& requests() const { return host().window(); }

  [[nodiscard]] bool running() const { return !state().stack.empty(); }

  /// `call` is a call of an Observer's.
  template <typename Call>
  void tell(const Call& call) {
    call(sink_);
    if constexpr (!Host::kPlain) {
      if (observer_ != nullptr) call(*observer_);
    }
  }

  [[nodiscard]] bool audits() const { return !Host::kPlain && options_.audit; }
  [[nodiscard]] bool decides_exits() const { return !Host::kPlain && exits_.control != nullptr; }

  void admit(const workloads::Arrival& arrival, std::uint16_t npu);

  void end_step();
  [[nodiscard]] int next_exit_layer(int layer) const;
  bool leave_where_decided(double date_s);
  template <typename Predicate>
  [[nodiscard]] bool somebody_in_batch(const Predicate& predicate) const;
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
  void take_from_queue(double date_s, const scheduler::Decision& decision, bool preempting);

  void leave(scheduler::Request& request, double date_s);
  void end_stay(scheduler::Request& request, double date_s);
  void hand_over_completed();
  void elapse(double date_s);

  const npu::BatchPolicyTable& table_;
  ServerOptions options_;
  scheduler::Policy& policy_;
  ExitSource exits_;
  Sink& sink_;
  Observer* observer_ = nullptr;
  const int segments_ = table_.segments();
  const scheduler::Boundary boundary_ = options_.traits.boundary;
  const std::size_t max_batch_ = static_cast<std::size_t>(options_.traits.max_batch);
};

}  // namespace fluidbatch::sim
