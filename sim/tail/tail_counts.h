// What is counted of a system's tail.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

#include "scheduler/request.h"
#include "scheduler/slo.h"
#include "sim/core/observer.h"
#include "sim/tail/latency_histogram.h"

namespace fluidbatch::sim {

/// Requests that left branches of one level.
struct LevelCounts {
  std::uint64_t requests = 0;  ///< dropped ones included
  std::uint64_t late = 0;      ///< likewise
  std::uint64_t dropped = 0;
};

/// Sums over all branches, each with the weight of its level.
struct TailSums {
  double requests = 0;
  double late = 0;  ///< dropped ones included
  double dropped = 0;
  LatencyHistogram latencies;       ///< of those that were not dropped
  std::uint64_t events = 0;         ///< of the serving core, all branches together, what is left out included
  std::uint64_t main_events = 0;    ///< of them, those of the main branch: what a run without splitting has
  std::uint64_t main_requests = 0;  ///< that the main branch has served meanwhile
  std::uint64_t cycles = 0;         ///< times that the main branch has emptied, of those counted

  void add(const TailSums& other);
};

template <typename Self, typename Visit>
requires std::same_as<std::remove_const_t<Self>, TailSums>
void fields(Self& sums, Visit& visit) {
  auto& [requests, late, dropped, latencies, events, main_events, main_requests, cycles] = sums;
  visit(requests, late, dropped, latencies, events, main_events, main_requests, cycles);
}

/// Counts requests that leave, of all branches of a run.
class TailCounter final : public Observer {
 public:
  TailCounter(const scheduler::Slo& slo, std::vector<double> weights)
      : slo_(slo), weights_(std::move(weights)), levels_(weights_.size()) {}

  /// From here on it counts: those before are the warm-up.
  void begin() { counts_ = true; }
  /// Of the branch that goes on now.
  void set_level(std::size_t level) { level_ = level; }

  void departed(const scheduler::Request& request) override {
    if (!counts_) return;
    LevelCounts& counts = levels_[level_];
    ++counts.requests;
    if (request.dropped) {
      ++counts.late;
      ++counts.dropped;
      return;
    }
    counts.late += slo_.is_missed_by(request) ? 1U : 0U;
    latencies_.add(request.completion_s - request.arrival_s, weights_[level_]);
  }

  /// `sums` gets all that has been counted.
  void finish(TailSums& sums) &&;

 private:
  scheduler::Slo slo_;
  std::vector<double> weights_;  // of a branch at each level
  std::vector<LevelCounts> levels_;
  LatencyHistogram latencies_;
  std::size_t level_ = 0;
  bool counts_ = false;
};

}  // namespace fluidbatch::sim
