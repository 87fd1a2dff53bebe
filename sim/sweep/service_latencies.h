// The measured latencies of a run, by service, and how many of them are late.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "scheduler/slo.h"
#include "sim/core/observer.h"
#include "sim/scenario/scenario.h"
#include "sim/sweep/late_share.h"

namespace fluidbatch::sim {

/// Whether any of its requests can be late.
bool has_slo(const Service& service);

/// Of one run, the requests of a service that has an SLO.
struct ServiceRun {
  LateCounts counts;
  double long_s = 0;  ///< what it counted as a long latency
};

template <typename Self, typename Visit>
requires std::same_as<std::remove_const_t<Self>, ServiceRun>
void fields(Self& run, Visit& visit) {
  auto& [counts, long_s] = run;
  auto& [requests, size, late, long_ones] = counts;
  visit(requests, size, late, long_ones, long_s);
}

/// Keeps what is counted of each measured request of services that have an SLO, in their order.
class MeasuredLatencies final : public Observer {
 public:
  explicit MeasuredLatencies(const Scenario& scenario);

  void completed(scheduler::RequestId id, const scheduler::Request& request) override;

  /// Of each service that has an SLO. `long_s`: what counts as long, of each; where it is empty, these
  /// latencies say it (long_latency_s with `allowed`).
  [[nodiscard]] std::vector<ServiceRun> runs(const std::vector<double>& long_s, double allowed) const;

 private:
  struct OfService {
    scheduler::Slo slo;
    bool counts = false;
    std::vector<double> latencies_s;
    std::vector<unsigned char> late;
  };

  std::uint64_t warmup_requests_;
  std::vector<std::size_t> service_of_device_;
  std::vector<OfService> of_service_;
};

}  // namespace fluidbatch::sim
