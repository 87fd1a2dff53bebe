// The interface between the server, which acts, and a scheduling policy, which decides.
#pragma once

#include <cstddef>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "npu_model/batch_policy_table.h"
#include "scheduler/request.h"

namespace fluidbatch::scheduler {

/// A latency is late beyond the SLO by more than this, so that exact ties do not hang on rounding.
inline constexpr double kDeadlineTolerance_s = 1e-9;

/// Samples that run together, and the layer that they run next.
struct Batch {
  static constexpr int kNoExit = std::numeric_limits<int>::max();

  std::vector<RequestId> samples;
  int next_layer = 0;            ///< layers 0 .. next_layer - 1 have run
  int next_exit = kNoExit;       ///< the first that one of them takes: as Request::exit, for an oracle only
  double suspended_since_s = 0;  ///< meaningless while active
};

/// What a policy sees when it is asked: the state after all events of this date have been applied.
struct ServerView {
  double now_s = 0;
  double slo_s = 0;  ///< latency bound, from `slo_start_s` to completion; may be infinite
  const npu::BatchPolicyTable& table;
  const RequestWindow& requests;
  RequestId queue_begin = 0;  ///< the queue is requests queue_begin .. queue_end - 1, oldest first
  RequestId queue_end = 0;
  std::span<const Batch> stack = {};  ///< batches in flight; the last one is active, the others suspended
  bool someone_left = false;          ///< a sample left the active batch, or the one above it, at this date
  bool slo_from_sending = false;      ///< the SLO counts from sending, not from arrival at the server
  double run_begin_s = 0;   ///< since when the active batch has run with the same samples, and from which
  int run_first_layer = 0;  ///< layer on; its dates count from there

  [[nodiscard]] std::size_t queue_size() const { return static_cast<std::size_t>(queue_end - queue_begin); }
  /// Arrival at the server. Precondition: the queue is not empty.
  [[nodiscard]] double oldest_arrival_s() const { return requests[queue_begin].arrival_s; }

  [[nodiscard]] bool idle() const { return stack.empty(); }
  /// Precondition: the NPU is not idle.
  [[nodiscard]] const Batch& active() const { return stack.back(); }
  /// When the active batch will have run all layers before `layer`, if it goes on as it is. Precondition: the
  /// NPU is not idle.
  [[nodiscard]] double date_before(int layer) const {
    return run_begin_s + table.latency_s(run_first_layer, layer, static_cast<int>(active().samples.size()));
  }
  [[nodiscard]] std::size_t in_flight() const {
    std::size_t samples = 0;
    for (const Batch& batch : stack) samples += batch.samples.size();
    return samples;
  }
  /// The date from which the SLO of a request counts. Where that is its sending, requests are not in order of
  /// it.
  [[nodiscard]] double slo_start_s(RequestId id) const {
    return slo_from_sending ? requests[id].sent_s : requests[id].arrival_s;
  }
  [[nodiscard]] double elapsed_s(RequestId id) const { return now_s - slo_start_s(id); }
};

/// What the server should do next.
struct Decision {
  enum class Action {
    go_on,    ///< run the active batch on
    start,    ///< idle NPU: form a batch of the `samples` oldest queued requests and run it from layer 0
    preempt,  ///< suspend the active batch and run the `samples` oldest queued requests from layer 0; where
              ///< the active batch has not run a layer yet they join it instead
    drop,     ///< give the `samples` oldest queued requests up, and be asked again
    wait_until,  ///< idle NPU: stay idle until `date_s`, or until a request arrives, whichever is first
  };
  /// Why a policy that could have preempted goes on; counted in the statistics.
  enum class Refusal { none, no_gain, slo };

  Action action = Action::go_on;
  std::size_t samples = 0;
  double date_s = 0;
  Refusal refusal = Refusal::none;
  int until_layer = 0;

  /// `until_layer`: the answer is the same at all boundaries before that one, as long as no sample leaves the
  /// batch and nothing merges with it, whoever arrives; so the policy need not be asked there.
  static Decision go_on(Refusal refusal = Refusal::none, int until_layer = 0) {
    return {
        .action = Action::go_on, .samples = 0, .date_s = 0, .refusal = refusal, .until_layer = until_layer};
  }
  static Decision start(std::size_t samples) { return {.action = Action::start, .samples = samples}; }
  static Decision preempt(std::size_t samples) { return {.action = Action::preempt, .samples = samples}; }
  static Decision drop(std::size_t samples) { return {.action = Action::drop, .samples = samples}; }
  /// `date_s` must lie in the future; infinity waits for the next arrival.
  static Decision wait_until(double date_s) {
    return {.action = Action::wait_until, .samples = 0, .date_s = date_s};
  }
};

/// Where a policy wants to be asked while a batch runs, besides when the NPU is idle.
enum class Boundary {
  batch,    ///< nowhere: a batch runs to its end
  segment,  ///< before each segment but the first
  layer,    ///< before each layer but the first
};

/// A scheduling policy.
///
/// Contract: `decide` is called, once for all events of a date, when the queue is not empty and the NPU is
/// idle, or the active batch stands at a boundary that the policy wants to see. It returns a decision and
/// touches nothing; the server checks it and carries it out, and ends the run with an InvariantViolation
/// where it is not allowed. A policy may keep state of its own, but must be a pure function of the views that
/// it has been given, so that runs can be repeated.
class Policy {
 public:
  Policy() = default;
  Policy(const Policy&) = delete;
  Policy& operator=(const Policy&) = delete;
  virtual ~Policy() = default;

  [[nodiscard]] virtual Decision decide(const ServerView& view) = 0;

  /// The most samples that the policy ever has in flight; the latency table is built up to it.
  [[nodiscard]] virtual int max_batch() const = 0;

  [[nodiscard]] virtual Boundary boundary() const { return Boundary::batch; }

  /// Seconds that a preemption costs, before the first layer of the newcomers.
  [[nodiscard]] virtual double preemption_cost_s() const { return 0; }
};

}  // namespace fluidbatch::scheduler
