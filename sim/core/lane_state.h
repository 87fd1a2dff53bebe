// Where a service stands on an NPU.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "scheduler/policy.h"
#include "sim/core/batch_stack.h"
#include "sim/core/conservation.h"
#include "sim/core/observer.h"
#include "sim/core/request_queue.h"

namespace fluidbatch::sim {

/// A value, made of request numbers and dates.
struct LaneState {
  static constexpr double kNever = std::numeric_limits<double>::infinity();

  explicit LaneState(std::size_t max_batch) : stack(max_batch) {}

  RequestQueue queue;
  BatchStack stack;
  bool someone_left = false;  ///< at the date of the last step's end
  /// Since when the active batch has run with the same samples, and from which layer on. Dates are counted
  /// from there, so that asking a policy in between, which splits a step, does not change a bit of them.
  double run_begin_s = 0;
  int run_first_layer = 0;
  Step step;  ///< of the active batch
  /// What the policy has said at the boundary before the next step, until the observers know it.
  scheduler::Decision::Refusal refusal = scheduler::Decision::Refusal::none;
  int until_layer = 0;  ///< up to where the policy's last answer holds, with the reason that it has given
  scheduler::Decision::Refusal passed_refusal = scheduler::Decision::Refusal::none;
  std::int64_t in_system = 0;  ///< signed, since that is what converts to double in one instruction
  std::int64_t parked = 0;     ///< of them, those in stacks that another service has pushed off the NPU
  double now_s = 0;            ///< up to where time_in_system_s has been summed
  Conservation conservation;

  /// In the stack.
  [[nodiscard]] std::size_t in_flight() const {
    return static_cast<std::size_t>(in_system - parked) - queue.size();
  }
};

/// Checks, after the last event, that none of its requests was lost. Throws InvariantViolation.
void check_conservation(const LaneState& lane);

}  // namespace fluidbatch::sim
