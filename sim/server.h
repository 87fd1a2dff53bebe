// The serving core: one NPU, its queue and its batches, as a state machine over exact dates.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "npu_model/batch_policy_table.h"
#include "scheduler/policy.h"
#include "sim/batch_stack.h"
#include "sim/look_ahead.h"
#include "sim/observer.h"
#include "sim/recorder.h"
#include "workloads/request_stream.h"

namespace fluidbatch::sim {

/// Counts for the conservation of requests, and the two sides of Little's law.
struct Conservation {
  std::uint64_t admitted = 0;
  std::uint64_t completed = 0;
  std::uint64_t dropped = 0;
  double time_in_system_s = 0;  ///< integral over time of the number of requests in the system
  double sum_of_latencies_s = 0;
  std::int64_t in_system_at_last_arrival = 0;  ///< that arrival included
  double end_s = 0;                            ///< last completion
};

struct ServerOptions {
  double slo_s = 0;               ///< latency bound at the server; may be infinite
  bool slo_from_sending = false;  ///< it counts from sending, not from arrival
  /// Drop a queued request that could not meet its deadline any more, were it run alone at once (all layers,
  /// exits ignored), when it is the oldest in the queue and a decision is due.
  bool drop_hopeless = false;
};

/// A deterministic state machine that knows nothing of what drives it:
///
///     while (server.next_event_s() < infinity) server.advance(server.next_event_s());
///     server.finish();
///
/// Where requests come that the stream could not foretell (over links that somebody else simulates), the
/// driver calls `stream_changed` after each.
///
/// A step takes the active batch to the next layer boundary at which something happens: a sample leaves, the
/// batch merges with the one that it has preempted, or the policy wants to be asked and there is somebody to
/// ask about. All events of a date are applied in this order: step end (its exits leave, an emptied batch is
/// popped, batches merge), arrivals, timer; then one decision is asked for. Throws InvariantViolation where a
/// policy's decision is not allowed or a conservation law is broken.
class Server {
 public:
  /// All references must outlive the server. `recorder` collects the statistics; `observer`, where not null,
  /// is told of everything after it.
  Server(const npu::BatchPolicyTable& table, const ServerOptions& options, scheduler::Policy& policy,
         workloads::RequestStream& stream, Recorder& recorder, Observer* observer = nullptr);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Date of the next event, never before the last one; infinity when the run is over.
  [[nodiscard]] double next_event_s() const {
    return running() ? step_.end_s : std::min(next_arrival_s_, timer_s_);
  }

  /// Whether the NPU has no batch to run.
  [[nodiscard]] bool idle() const { return stack_.empty(); }

  /// Applies all events of `date_s`, which must be next_event_s().
  void advance(double date_s);

  /// Applies all events up to `date_s`, that date included; all that are left where it is infinite.
  void advance_through(double date_s);

  /// The stream's next event has changed. Its date must not be before the last event's.
  void stream_changed();
  [[nodiscard]] const npu::BatchPolicyTable& table() const { return table_; }
  /// Date of the last event.
  [[nodiscard]] double now_s() const { return event_s_; }

  /// Checks, after the last event, that nothing was lost.
  void finish() const;

  [[nodiscard]] const Conservation& conservation() const { return conservation_; }

 private:
  static constexpr double kNever = std::numeric_limits<double>::infinity();

  [[nodiscard]] bool running() const { return !idle(); }
  [[nodiscard]] bool queue_empty() const { return view_.queue_begin == requests_.end(); }
  [[nodiscard]] std::size_t queue_size() const { return requests_.end() - view_.queue_begin; }

  /// `call` is a call of an Observer's. The recorder's type is known here, so that its calls are inlined.
  template <typename Call>
  void tell(const Call& call) {
    call(recorder_);
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
  Recorder& recorder_;
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
