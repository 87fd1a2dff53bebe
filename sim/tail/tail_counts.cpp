#include "sim/tail/tail_counts.h"

#include <algorithm>
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
  const auto add_each = [](std::vector<double>& sums, const std::vector<double>& more) {
    sums.resize(std::max(sums.size(), more.size()));
    for (std::size_t service = 0; service < more.size(); ++service) sums[service] += more[service];
  };
  add_each(service_requests, other.service_requests);
  add_each(service_late, other.service_late);
}

void TailCounter::finish(TailSums& sums) && {
  sums.service_requests.resize(slos_.size());
  sums.service_late.resize(slos_.size());
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    const std::size_t service = i % slos_.size();
    const double weight = weights_[i / slos_.size()];
    const auto weighted = [&](std::uint64_t count) { return static_cast<double>(count) * weight; };
    sums.requests += weighted(counts_[i].requests);
    sums.late += weighted(counts_[i].late);
    sums.dropped += weighted(counts_[i].dropped);
    sums.service_requests[service] += weighted(counts_[i].requests);
    sums.service_late[service] += weighted(counts_[i].late);
  }
  sums.latencies = std::move(latencies_);
}

}  // namespace fluidbatch::sim
