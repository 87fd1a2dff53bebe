#include "sim/core/lane_state.h"

#include <cmath>

#include "sim/core/invariant.h"

namespace fluidbatch::sim {

void check_conservation(const LaneState& lane) {
  const Conservation& c = lane.conservation;
  require_invariant(c.admitted == c.completed + c.dropped && lane.in_system == 0,
                    "admitted requests = completed + dropped + queued + in flight");
  require_invariant(
      std::abs(c.time_in_system_s - c.sum_of_latencies_s) <= 1e-9 * c.sum_of_latencies_s + 1e-12,
      "Little's law: integral of the number in the system = sum of the latencies");
}

}  // namespace fluidbatch::sim
