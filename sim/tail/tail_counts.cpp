#include "sim/tail/tail_counts.h"

#include <utility>

namespace fluidbatch::sim {

void TailSums::add(const TailSums& other) {
  requests += other.requests;
  late += other.late;
  dropped += other.dropped;
  latencies.add(other.latencies);
  events += other.events;
  main_events += other.main_events;
  main_requests += other.main_requests;
  cycles += other.cycles;
}

void TailCounter::finish(TailSums& sums) && {
  for (std::size_t level = 0; level < levels_.size(); ++level) {
    const auto weighted = [&](std::uint64_t count) { return static_cast<double>(count) * weights_[level]; };
    sums.requests += weighted(levels_[level].requests);
    sums.late += weighted(levels_[level].late);
    sums.dropped += weighted(levels_[level].dropped);
  }
  sums.latencies = std::move(latencies_);
}

}  // namespace fluidbatch::sim
