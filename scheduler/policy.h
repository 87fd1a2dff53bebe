// The interface between the server, which acts, and a scheduling policy, which decides.
#pragma once

#include <cstddef>
#include <limits>
#include <memory>

#include "scheduler/view.h"

namespace fluidbatch::scheduler {

/// What the server should do next.
struct Decision {
  enum class Action {
    go_on,    ///< run the active batch on
    start,    ///< idle NPU: form a batch of the `samples` oldest queued requests and run it from layer 0
    preempt,  ///< suspend the active batch and run the `samples` oldest queued requests from layer 0; where
              ///< the active batch has not run a layer yet they join it instead
    drop,     ///< give the `samples` oldest queued requests up, and be asked again
    wait_until,  ///< idle NPU: stay idle until `date_s`, or until a request arrives, whichever is first; with
                 ///< `samples`: where neither ever comes, start so many
  };
  /// Why a policy that could have preempted goes on; counted in the statistics.
  enum class Refusal { none, no_gain, slo };

  Action action = Action::go_on;
  std::size_t samples = 0;
  double date_s = 0;
  Refusal refusal = Refusal::none;
  int until_layer = 0;

  bool operator==(const Decision&) const = default;

  /// `until_layer`: the answer is the same at all boundaries before that one, as long as no sample leaves the
  /// batch and nothing merges with it, whoever arrives; so the policy need not be asked there.
  static Decision go_on(Refusal refusal = Refusal::none, int until_layer = 0) {
    return {
        .action = Action::go_on, .samples = 0, .date_s = 0, .refusal = refusal, .until_layer = until_layer};
  }
  /// On an idle NPU: the oldest `samples` start as a batch.
  static Decision start(std::size_t samples) { return {.action = Action::start, .samples = samples}; }
  /// The active batch is suspended, and the oldest `samples` of the queue run.
  static Decision preempt(std::size_t samples) { return {.action = Action::preempt, .samples = samples}; }
  /// The oldest `samples` of the queue are given up.
  static Decision drop(std::size_t samples) { return {.action = Action::drop, .samples = samples}; }
  /// `date_s` must lie in the future; infinity waits for the next arrival, and is not allowed where nobody
  /// comes any more.
  static Decision wait_until(double date_s) {
    return {.action = Action::wait_until, .samples = 0, .date_s = date_s};
  }
  /// Waits for the next arrival, however long. Where nobody comes any more, as at the end of a run, which no
  /// policy sees, the `otherwise` oldest queued requests start.
  static Decision wait_for_arrival(std::size_t otherwise) {
    return {.action = Action::wait_until,
            .samples = otherwise,
            .date_s = std::numeric_limits<double>::infinity()};
  }
};

/// Where a policy wants to be asked while a batch runs, besides when the NPU is idle.
enum class Boundary {
  batch,    ///< nowhere: a batch runs to its end
  segment,  ///< before each segment but the first
  layer,    ///< before each layer but the first
};

/// Whether a policy of this kind is asked before `layer`, not the first one.
inline bool is_asked_before(int layer, Boundary boundary, const npu::BatchPolicyTable& table) {
  switch (boundary) {
    case Boundary::batch:
      return false;
    case Boundary::segment:
      return layer == table.segment_begin(table.segment_of(layer));
    case Boundary::layer:
      return true;
  }
  return false;
}

/// What must be known of a policy before it is made: the same for all policies of the same parameters.
struct PolicyTraits {
  int max_batch = 1;                    ///< most samples ever in flight; latency tables are built up to it
  Boundary boundary = Boundary::batch;  ///< where it wants to be asked
  bool oracle = false;                  ///< it looks at the exits that requests will take (view.h)
};

/// A scheduling policy.
///
/// Contract: `decide` is called, once for all events of a date, when the queue is not empty and the NPU is
/// idle, or the active batch stands at a boundary that the policy wants to see. It returns a decision and
/// touches nothing; the server checks it and carries it out, and ends the run with a PolicyError where it is
/// not allowed. A policy may keep state of its own, but must be a pure function of the views that it has been
/// given, so that runs can be repeated.
class Policy {
 public:
  Policy() = default;
  Policy& operator=(const Policy&) = delete;
  virtual ~Policy() = default;

  /// What the server does next.
  [[nodiscard]] virtual Decision decide(const ServerView& view) = 0;

  /// A policy in the same state, which goes its own way from here.
  [[nodiscard]] virtual std::unique_ptr<Policy> clone() const = 0;

 protected:
  Policy(const Policy&) = default;
};

}  // namespace fluidbatch::scheduler
