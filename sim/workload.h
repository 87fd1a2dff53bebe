// The requests of a run, as far as they can be computed without SimGrid.
#pragma once

#include <optional>

#include "sim/config/run_config.h"
#include "workloads/analytic_uplink.h"
#include "workloads/sent_requests.h"

namespace fluidbatch::sim {

/// What devices send, and how it comes to the server. Uplink `simgrid` is computed as `analytic`, which
/// agrees to 1e-9 s.
class Workload {
 public:
  /// `config` must outlive the workload.
  explicit Workload(const RunConfig& config)
      : sends_(config.devices, *config.exits, config.seed, config.length, config.uplink.answer_latency_s) {
    if (config.uplink.model != workloads::UplinkSpec::Model::none) {
      uplink_.emplace(config.uplink, config.devices, sends_);
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
