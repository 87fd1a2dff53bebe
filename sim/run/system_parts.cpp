#include "sim/run/system_parts.h"

#include <utility>

#include "sim/scenario/workload.h"

namespace fluidbatch::sim {

ServerOptions server_options(const Scenario& scenario, const System& system, std::size_t service,
                             std::size_t read_ahead) {
  return {.policy = system.policy->name,
          .traits = system.policy->traits(system.parameters),
          .slo = scenario.services[service].slo.of_server(),
          .drop_hopeless = system.drop_hopeless,
          .preemption_cost_s = system.preemption_cost_s,
          .audit = scenario.audit,
          .read_ahead = read_ahead};
}

SystemParts::SystemParts(const Scenario& scenario, const System& system, std::size_t read_ahead,
                         std::unique_ptr<workloads::RequestStream> stream)
    : system_(system),
      options_(server_options(scenario, system, 0, read_ahead)),
      policy_(system.policy->make(system.parameters, scenario.policy_context(system, 0, 0))),
      exit_control_(scenario.make_exit_control(system, 0)),
      exits_(scenario.exits_of(system, 0)),
      stream_(stream == nullptr ? arriving_requests(scenario, *exits_) : std::move(stream)) {}

SystemParts::SystemParts(const SystemParts& other)
    : system_(other.system_),
      options_(other.options_),
      policy_(other.policy_->clone()),
      exit_control_(other.exit_control_ == nullptr ? nullptr : other.exit_control_->clone()),
      exits_(other.exits_),
      stream_(other.stream_->clone()) {}

}  // namespace fluidbatch::sim
