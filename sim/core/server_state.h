// Where a serving core stands.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "scheduler/policy.h"
#include "scheduler/request.h"
#include "sim/core/batch_stack.h"
#include "sim/core/conservation.h"
#include "sim/core/look_ahead.h"
#include "sim/core/observer.h"
#include "sim/core/request_queue.h"
#include "workloads/traffic/request_stream.h"

namespace fluidbatch::sim {

/// A value, made of indices and dates: a core that is made with a copy of it, and with clones of the policy
/// and of the stream, goes on as the one that it was copied from.
struct ServerState {
  static constexpr double kNever = std::numeric_limits<double>::infinity();

  /// At date 0, before the first event of `stream`.
  ServerState(workloads::RequestStream& stream, std::size_t read_ahead, std::size_t max_batch)
      : ahead(stream, read_ahead), stack(max_batch) {}

  scheduler::RequestWindow requests;  ///< all that are in the system, and completed ones held back
  LookAhead ahead;
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
  double next_arrival_s = 0;  ///< the stream's next event; infinity: none left
  double last_stream_event_s = 0;
  double timer_s = kNever;
  std::int64_t in_system = 0;  ///< signed, since that is what converts to double in one instruction
  double now_s = 0;            ///< up to where time_in_system_s has been summed
  double event_s = 0;          ///< the last event
  Conservation conservation;
};

}  // namespace fluidbatch::sim
