// What the serving core counts, so that nothing is lost unnoticed.
#pragma once

#include <cstdint>

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

}  // namespace fluidbatch::sim
