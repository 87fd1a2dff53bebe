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

/// Requests of one service that left branches of one level.
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
  /// Of the first two, those of each service.
  std::vector<double> service_requests;
  std::vector<double> service_late;

  void add(const TailSums& other);
};

template <typename Self, typename Visit>
requires std::same_as<std::remove_const_t<Self>, TailSums>
void fields(Self& sums, Visit& visit) {
  auto& [requests, late, dropped, latencies, events, main_events, main_requests, cycles, service_requests,
         service_late] = sums;
  visit(requests, late, dropped, latencies, events, main_events, main_requests, cycles, service_requests,
        service_late);
}

/// Counts requests that leave, of all branches of a run.
class TailCounter final : public Observer {
 public:
  /// `slos` by service.
  TailCounter(std::vector<scheduler::Slo> slos, std::vector<std::size_t> service_of_device,
              std::vector<double> weights)
      : slos_(std::move(slos)),
        service_of_device_(std::move(service_of_device)),
        weights_(std::move(weights)),
        counts_(weights_.size() * slos_.size()) {}

  /// From here on it counts: those before are the warm-up.
  void begin() { is_counting_ = true; }
  /// Of the branch that goes on now.
  void set_level(std::size_t level) { level_ = level; }

  void departed(const scheduler::Request& request) override {
    if (!is_counting_) return;
    const std::size_t service = service_of_device_[request.device];
    LevelCounts& counts = counts_[level_ * slos_.size() + service];
    ++counts.requests;
    if (request.dropped) {
      ++counts.late;
      ++counts.dropped;
      return;
    }
    counts.late += slos_[service].is_missed_by(request) ? 1U : 0U;
    latencies_.add(request.completion_s - request.arrival_s, weights_[level_]);
  }

  /// `sums` gets all that has been counted.
  void finish(TailSums& sums) &&;

 private:
  std::vector<scheduler::Slo> slos_;
  std::vector<std::size_t> service_of_device_;
  std::vector<double> weights_;      // of a branch at each level
  std::vector<LevelCounts> counts_;  // by level and service
  LatencyHistogram latencies_;
  std::size_t level_ = 0;
  bool is_counting_ = false;
};

}  // namespace fluidbatch::sim
