#include "sim/run/site_parts.h"

#include <utility>

#include "sim/run/system_parts.h"
#include "sim/scenario/workload.h"

namespace fluidbatch::sim {

SiteParts::SiteParts(const Scenario& scenario, const System& system, std::size_t read_ahead,
                     std::unique_ptr<workloads::RequestStream> stream)
    : scenario_(scenario), system_(system), read_ahead_(read_ahead), exits_(scenario.exits_of(system)) {
  for (std::size_t service = 0; service < scenario.services.size(); ++service)
    exits_of_.push_back(scenario.exits_of(system, service));
  for (std::size_t npu = 0; npu < system.npus.size(); ++npu) {
    std::vector<Lane>& lanes = lanes_.emplace_back();
    for (std::size_t service = 0; service < scenario.services.size(); ++service) {
      lanes.push_back(
          {.options = server_options(scenario, system, service, read_ahead),
           .policy = system.policy->make(system.parameters, scenario.policy_context(system, npu, service)),
           .exit_control = scenario.make_exit_control(system, service)});
    }
    const ArbiterChoice& arbiter = system.arbiter;
    arbiters_.push_back(arbiter.info == nullptr ? nullptr : arbiter.info->make(arbiter.parameters));
  }
  if (system.router.info != nullptr) router_ = system.router.info->make(system.router.parameters);
  stream_ = stream == nullptr ? arriving_requests(scenario, *exits_) : std::move(stream);
}

SiteParts::SiteParts(const SiteParts& other)
    : scenario_(other.scenario_),
      system_(other.system_),
      read_ahead_(other.read_ahead_),
      router_(other.router_ == nullptr ? nullptr : other.router_->clone()),
      exits_of_(other.exits_of_),
      exits_(other.exits_),
      stream_(other.stream_->clone()) {
  for (const std::vector<Lane>& of_npu : other.lanes_) {
    std::vector<Lane>& lanes = lanes_.emplace_back();
    for (const Lane& lane : of_npu) {
      lanes.push_back({.options = lane.options,
                       .policy = lane.policy->clone(),
                       .exit_control = lane.exit_control == nullptr ? nullptr : lane.exit_control->clone()});
    }
  }
  for (const auto& arbiter : other.arbiters_)
    arbiters_.push_back(arbiter == nullptr ? nullptr : arbiter->clone());
}

}  // namespace fluidbatch::sim
