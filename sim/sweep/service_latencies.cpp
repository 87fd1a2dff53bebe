#include "sim/sweep/service_latencies.h"

#include <cmath>
#include <limits>

namespace fluidbatch::sim {

bool has_slo(const Service& service) { return std::isfinite(service.slo.latency_s); }

MeasuredLatencies::MeasuredLatencies(const Scenario& scenario)
    : warmup_requests_(scenario.warmup_requests), service_of_device_(scenario.devices.services()) {
  for (const Service& service : scenario.services)
    of_service_.push_back({.slo = service.slo, .counts = has_slo(service), .latencies_s = {}, .late = {}});
}

void MeasuredLatencies::completed(scheduler::RequestId id, const scheduler::Request& request) {
  OfService& its = of_service_[service_of_device_[request.device]];
  if (id < warmup_requests_ || !its.counts) return;
  const double latency_s =
      its.slo.end_to_end ? its.slo.end_to_end_s(request) : request.completion_s - request.arrival_s;
  its.latencies_s.push_back(request.dropped ? std::numeric_limits<double>::infinity() : latency_s);
  its.late.push_back(request.dropped || its.slo.is_missed_by(request) ? 1 : 0);
}

std::vector<ServiceRun> MeasuredLatencies::runs(const std::vector<double>& long_s, double allowed) const {
  std::vector<ServiceRun> runs;
  for (const OfService& its : of_service_) {
    if (!its.counts) continue;
    const double level_s = long_s.empty() ? long_latency_s(its.latencies_s, allowed) : long_s[runs.size()];
    runs.push_back({.counts = count_late(its.latencies_s, its.late, level_s), .long_s = level_s});
  }
  return runs;
}

}  // namespace fluidbatch::sim
