// How far a run is, and whether it is still wanted: what others may see and say while it goes on.
#pragma once

#include <atomic>
#include <cstdint>
#include <stdexcept>

namespace fluidbatch::sim {

/// Shared with the threads or processes beside a run.
struct RunWatch {
  std::atomic<std::uint64_t> completed = 0;  ///< requests, about up to date
  std::atomic<bool> stop = false;            ///< the run is to end as soon as it can, with RunStopped
};

/// A run was not wanted any more.
class RunStopped final : public std::runtime_error {
 public:
  RunStopped() : std::runtime_error("stopped") {}
};

/// Throws RunStopped where `watch` (may be null) says so.
inline void check_wanted(const RunWatch* watch) {
  if (watch != nullptr && watch->stop.load(std::memory_order_relaxed)) throw RunStopped();
}

}  // namespace fluidbatch::sim
