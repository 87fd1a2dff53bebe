// The requests of a run, as far as they can be computed without SimGrid.
#pragma once

#include <optional>

#include "sim/scenario/scenario.h"
#include "workloads/traffic/sent_requests.h"
#include "workloads/uplink/analytic_uplink.h"

namespace fluidbatch::sim {

/// What devices send.
inline workloads::SentRequests sent_requests(const Scenario& scenario) {
  return {scenario.devices, *scenario.exits, scenario.seed, scenario.length,
          scenario.uplink.answer_latency_s};
}

/// What devices send, and how it comes to the server. Uplink `simgrid` is computed as `analytic`, which
/// agrees to 1e-9 s.
class Workload {
 public:
  /// `scenario` must outlive the workload.
  explicit Workload(const Scenario& scenario) : sends_(sent_requests(scenario)) {
    if (scenario.uplink.model != workloads::UplinkSpec::Model::none) {
      uplink_.emplace(scenario.uplink, scenario.devices, sends_);
    }
  }

  /// As devices send them.
  workloads::SentRequests& sends() { return sends_; }
  /// As they come to the server; takes from `sends`.
  workloads::RequestStream& requests() {
    return uplink_ ? static_cast<workloads::RequestStream&>(*uplink_) : sends_;
  }

 private:
  workloads::SentRequests sends_;
  std::optional<workloads::AnalyticUplink> uplink_;
};

}  // namespace fluidbatch::sim
