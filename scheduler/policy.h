// The interface between the server, which acts, and a scheduling policy, which decides.
#pragma once

#include <cstddef>
#include <memory>

#include "npu_model/batch_policy_table.h"
#include "scheduler/request.h"

namespace fluidbatch::scheduler {

/// What a policy sees when it is asked: the state after all events of this date have been applied.
struct ServerView {
  double now_s = 0;
  double slo_s = 0;  ///< latency bound, from arrival; may be infinite
  const npu::BatchPolicyTable& table;
  const RequestWindow& requests;
  RequestId queue_begin = 0;  ///< the queue is requests queue_begin .. queue_end - 1, oldest first
  RequestId queue_end = 0;

  [[nodiscard]] std::size_t queue_size() const { return static_cast<std::size_t>(queue_end - queue_begin); }
  /// Precondition: the queue is not empty.
  [[nodiscard]] double oldest_arrival_s() const { return requests[queue_begin].arrival_s; }
};

/// What the server should do next.
struct Decision {
  enum class Action {
    start,       ///< idle NPU: form a batch of the `samples` oldest queued requests and run it from layer 0
    wait_until,  ///< idle NPU: stay idle until `date_s`, or until a request arrives, whichever is first
  };

  Action action = Action::wait_until;
  std::size_t samples = 0;
  double date_s = 0;

  static Decision start(std::size_t samples) {
    return {.action = Action::start, .samples = samples, .date_s = 0};
  }
  /// `date_s` must lie in the future; infinity waits for the next arrival.
  static Decision wait_until(double date_s) {
    return {.action = Action::wait_until, .samples = 0, .date_s = date_s};
  }
};

/// A scheduling policy.
///
/// Contract: `decide` is called when the NPU is idle and the queue is not empty, once for all events of a
/// date. It returns a decision and touches nothing; the server checks it and carries it out, and ends the
/// run with an InvariantViolation where it is not allowed. A policy may keep state of its own, but must be
/// a pure function of the views that it has been given, so that runs can be repeated.
class Policy {
 public:
  Policy() = default;
  Policy(const Policy&) = delete;
  Policy& operator=(const Policy&) = delete;
  virtual ~Policy() = default;

  [[nodiscard]] virtual Decision decide(const ServerView& view) = 0;

  /// The largest batch that the policy ever asks for; the latency table is built up to it.
  [[nodiscard]] virtual int max_batch() const = 0;
};

}  // namespace fluidbatch::scheduler
