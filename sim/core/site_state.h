// Where the serving core of a site stands.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "scheduler/request.h"
#include "sim/core/batch_stack.h"
#include "sim/core/lane_state.h"
#include "sim/core/look_ahead.h"
#include "workloads/random.h"
#include "workloads/traffic/request_stream.h"
#include "workloads/traffic/winner_tree.h"

namespace fluidbatch::sim {

/// The batches of a service that another one has pushed off the NPU.
struct ParkedStack {
  std::size_t service = 0;
  BatchStack stack;
  std::int64_t samples = 0;
};

/// One NPU of a site: a lane for each service, of which one at most has the NPU.
struct SiteServerState {
  static constexpr double kNever = LaneState::kNever;
  static constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

  std::vector<LaneState> lanes;     ///< by service
  std::vector<ParkedStack> parked;  ///< in the order in which they were
  std::vector<BatchStack> spare;    ///< empty ones, kept for their memory
  std::size_t active = kNone;       ///< the service that has the NPU
  /// During a step: from when on somebody of the active service is in its queue, and from when on another
  /// service may push it off the NPU.
  double waited_from_s = kNever;
  double others_wait_from_s = kNever;
  double timer_s = kNever;
  bool waits = false;              ///< idle, with requests in its queues
  std::size_t last_served = 0;     ///< the service that last started a batch; their number: none has yet
  std::vector<double> npu_time_s;  ///< of each service, in stays that have ended
  double stay_begin_s = 0;         ///< of the active service
  std::int64_t in_system = 0;
};

/// A value, made of indices and dates: a core that is made with a copy of it, and with clones of the
/// policies, arbiters, router and stream, goes on as the one that it was copied from.
struct SiteState {
  static constexpr double kNever = LaneState::kNever;

  /// At date 0, before the first event of `stream`; servers are to be added.
  SiteState(workloads::RequestStream& stream, std::size_t read_ahead, std::uint64_t seed,
            std::size_t number_of_servers)
      : ahead(stream, read_ahead), draws(seed, "router", 0), next_events(number_of_servers) {}

  scheduler::RequestWindow requests;  ///< all that are in the site, and completed ones held back
  LookAhead ahead;
  double next_arrival_s = 0;  ///< the stream's next event; infinity: none left
  double last_stream_event_s = 0;
  double event_s = 0;             ///< the last event
  workloads::RandomStream draws;  ///< the router's
  std::uint64_t admitted = 0;
  std::int64_t in_system = 0;
  std::int64_t in_system_at_last_arrival = 0;
  std::vector<SiteServerState> servers;
  workloads::WinnerTree next_events;  ///< of each server
};

}  // namespace fluidbatch::sim
