// Where a serving core of one service on one NPU stands.
#pragma once

#include <cstddef>

#include "scheduler/request.h"
#include "sim/core/lane_state.h"
#include "sim/core/look_ahead.h"
#include "workloads/traffic/request_stream.h"

namespace fluidbatch::sim {

/// A value, made of indices and dates: a core that is made with a copy of it, and with clones of the policy
/// and of the stream, goes on as the one that it was copied from.
struct ServerState : LaneState {
  /// At date 0, before the first event of `stream`.
  ServerState(workloads::RequestStream& stream, std::size_t read_ahead, std::size_t max_batch)
      : LaneState(max_batch), ahead(stream, read_ahead) {}

  scheduler::RequestWindow requests;  ///< all that are in the system, and completed ones held back
  LookAhead ahead;
  double next_arrival_s = 0;  ///< the stream's next event; infinity: none left
  double last_stream_event_s = 0;
  double timer_s = kNever;
  double event_s = 0;  ///< the last event
};

}  // namespace fluidbatch::sim
