// The serving core: one NPU, its queue and its batches, as a state machine over exact dates.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "npu_model/batch_policy_table.h"
#include "scheduler/policy.h"
#include "sim/core/batch_stack.h"
#include "sim/core/look_ahead.h"
#include "sim/core/observer.h"
#include "sim/core/server_options.h"
#include "sim/core/serving_core.h"
#include "workloads/traffic/request_stream.h"

namespace fluidbatch::sim {

/// The serving core.
///
/// A step takes the active batch to the next layer boundary at which something happens: a sample leaves, the
/// batch merges with the one that it has preempted, or the policy wants to be asked and there is somebody to
/// ask about. All events of a date are applied in this order: step end (its exits leave, an emptied batch is
/// popped, batches merge), arrivals, timer; then one decision is asked for. Throws InvariantViolation where a
/// policy's decision is not allowed or a conservation law is broken.
/// `Sink` is an Observer whose type is known here, so that its calls are inlined: what collects the
/// statistics.
template <typename Sink>
class Server final : public ServingCore {
 public:
  /// All references must outlive the server. `sink` is told of everything, and after it `observer`, where not
  /// null.
  Server(const npu::BatchPolicyTable& table, const ServerOptions& options, scheduler::Policy& policy,
         workloads::RequestStream& stream, Sink& sink, Observer* observer = nullptr);

  [[nodiscard]] double next_event_s() const override {
    return running() ? step_.end_s : std::min(next_arrival_s_, timer_s_);
  }
  [[nodiscard]] bool idle() const override { return stack_.empty(); }
  void advance(double date_s) override;
  void advance_through(double date_s) override;
  void stream_changed() override;
  [[nodiscard]] const npu::BatchPolicyTable& table() const override { return table_; }
  [[nodiscard]] double now_s() const override { return event_s_; }
  void finish() const override;
  [[nodiscard]] const Conservation& conservation() const override { return conservation_; }

 private:
  static constexpr double kNever = std::numeric_limits<double>::infinity();

  [[nodiscard]] bool running() const { return !idle(); }
  [[nodiscard]] bool queue_empty() const { return view_.queue_begin == requests_.end(); }
  [[nodiscard]] std::size_t queue_size() const { return requests_.end() - view_.queue_begin; }

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
  void begin_run(double date_s);
  void begin_step(double date_s);
  void plan_step();
  void report_refusal();
  [[nodiscard]] double date_before(int layer) const;
  [[nodiscard]] int next_stop() const;
  [[nodiscard]] bool is_boundary(int layer) const;

  [[nodiscard]] bool must_decide() const;
  void decide(double date_s);
  bool carry_out(const scheduler::Decision& decision, double date_s);
  [[noreturn]] void refuse(const scheduler::Decision& decision, double date_s, const char* why) const;
  [[nodiscard]] std::size_t hopeless(double date_s) const;
  [[nodiscard]] double slo_start_s(const scheduler::Request& request) const;
  void drop(std::size_t samples, double date_s);
  void take_from_queue(double date_s, const scheduler::Decision& decision);

  void leave(scheduler::Request& request, double date_s);
  void end_stay(scheduler::Request& request, double date_s);
  void hand_over_completed();
  void elapse(double date_s);

  const npu::BatchPolicyTable& table_;
  ServerOptions options_;
  scheduler::Policy& policy_;
  const int segments_ = table_.segments();
  const scheduler::Boundary boundary_ = policy_.boundary();
  const std::size_t max_batch_ = static_cast<std::size_t>(policy_.max_batch());
  LookAhead stream_;
  bool stream_listens_;
  Sink& sink_;
  Observer* observer_;

  scheduler::RequestWindow requests_;  // all that are in the system, and completed ones held back
  BatchStack stack_{requests_, max_batch_};
  // What the policy sees is where the server keeps it: the beginning of the queue, whether somebody has left
  // at the date of the last step's end, and since when the active batch has run with the same samples. Dates
  // are counted from there, so that asking a policy in between, which splits a step, does not change a bit of
  // them. Its other changing members are set before it is asked.
  scheduler::ServerView view_{.slo_s = options_.slo_s,
                              .table = table_,
                              .requests = requests_,
                              .slo_from_sending = options_.slo_from_sending};
  Step step_;  // of the active batch
  // What the policy has said at the boundary before the next step, and up to where that holds.
  scheduler::Decision::Refusal refusal_ = scheduler::Decision::Refusal::none;
  int until_layer_ = 0;
  double next_arrival_s_ = 0;  // the stream's next event; infinity: none left
  double last_stream_event_s_ = 0;
  double timer_s_ = kNever;
  std::int64_t in_system_ = 0;  // signed, since that is what converts to double in one instruction
  double now_s_ = 0;            // up to where time_in_system_s has been summed
  double event_s_ = 0;          // the last event
  Conservation conservation_;
};

}  // namespace fluidbatch::sim
