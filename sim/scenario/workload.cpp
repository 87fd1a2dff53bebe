#include "sim/scenario/workload.h"

#include "workloads/uplink/analytic_uplink.h"

namespace fluidbatch::sim {

workloads::SentRequests sent_requests(const Scenario& scenario, const workloads::ExitSpec& exits) {
  return {scenario.devices, exits, scenario.seed, scenario.length, scenario.uplink.answer_latency_s};
}

std::unique_ptr<workloads::RequestStream> arriving_requests(const Scenario& scenario,
                                                            const workloads::ExitSpec& exits) {
  workloads::SentRequests sends = sent_requests(scenario, exits);
  if (scenario.uplink.model == workloads::UplinkSpec::Model::none) return sends.clone();
  return std::make_unique<workloads::AnalyticUplink>(scenario.uplink, scenario.devices, sends);
}

}  // namespace fluidbatch::sim
