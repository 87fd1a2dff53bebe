#include "sim/scenario/system_builder.h"

#include <algorithm>
#include <utility>

#include "sim/scenario/checks.h"
#include "sim/scenario/requirement.h"
#include "workloads/io/range.h"

namespace fluidbatch::sim {
namespace {

ExitControlChoice exit_control_of(const std::string& kind, const PolicyArguments& arguments) {
  const scheduler::ExitControlInfo& control = exit_control_called(kind);
  ExitControlChoice choice;
  choice.parameters = parameter_values("exit_control " + control.name, control.parameters, arguments);
  if (control.make) choice.info = &control;
  return choice;
}

std::vector<ExitControlChoice> exit_controls_of(const SystemSpec& spec, const Scenario& scenario,
                                                const std::vector<ServiceDefaults>& defaults) {
  std::vector<ExitControlChoice> choices;
  for (std::size_t service = 0; service < scenario.services.size(); ++service) {
    const ServiceDefaults& its = defaults[service];
    choices.push_back(its.exit_control.empty()
                          ? exit_control_of(spec.exit_control, spec.exit_control_parameters)
                          : exit_control_of(its.exit_control, its.exit_control_parameters));
    require_none(objection_to_exit_control(choices.back(), scenario.services[service]));
  }
  return choices;
}

/// Where latencies of a service come from on `npu`.
LatencySource source_of(const NpuSpec& npu, std::size_t service, const LatencySource& otherwise) {
  LatencySource source = otherwise;
  if (npu.npu) source = {.npu = npu.npu, .mode = otherwise.mode, .table = nullptr};
  if (!npu.tables.empty()) source.table = npu.tables[service];
  if (npu.npu_mode) {
    require(source.table == nullptr, "npu_mode does not go with a measured table");
    source.mode = *npu.npu_mode;
  }
  return source;
}

/// What stands beside a system that names no `npus`.
NpuSpec only_npu(const SystemSpec& spec) {
  NpuSpec npu{.count = 1, .npu = spec.npu, .npu_mode = spec.npu_mode, .tables = {}};
  if (spec.table != nullptr) npu.tables.push_back(spec.table);
  return npu;
}

void add_npus(System& system, const NpuSpec& npu, const Scenario& scenario,
              const std::vector<ServiceDefaults>& defaults) {
  require(npu.tables.empty() || npu.tables.size() == scenario.services.size(),
          "an NPU needs a table of latencies for each service");
  io::require_in({.min = 1, .max = kMostNpus}, npu.count, "the count of an NPU");
  SystemNpu made;
  for (std::size_t service = 0; service < scenario.services.size(); ++service) {
    const LatencySource source = source_of(npu, service, defaults[service].latencies);
    made.tables.push_back(source.table_of(scenario.services[service].network, system.max_batch()));
    if (service == 0) made.name = source.name();
  }
  system.npus.insert(system.npus.end(), static_cast<std::size_t>(npu.count), made);
  require_none(objection_to_npus(system.npus.size()));
}

}  // namespace

System build_system(const SystemSpec& spec, const Scenario& scenario,
                    const std::vector<ServiceDefaults>& defaults) {
  System system;
  system.policy = &policy_called(spec.policy);
  require_none(objection_to_policy(*system.policy, scenario.services));
  system.parameters =
      parameter_values("policy " + system.policy->name, system.policy->parameters, spec.parameters);
  system.label = spec.label.empty() ? spec.policy : spec.label;
  require_none(objection_to_label(system.label));
  require_none(objection_to_second_label(scenario.systems, system.label));
  system.drop_hopeless = spec.drop_hopeless;
  system.preemption_cost_s =
      io::require_in(kPreemptionCosts_s, spec.preemption_cost_s, "preemption_cost_s, in seconds,");
  system.exit_controls = exit_controls_of(spec, scenario, defaults);
  const bool has_one = spec.npu || spec.npu_mode || spec.table != nullptr;
  require(spec.npus.empty() || !has_one, "a system has an NPU, or a list of them");
  for (const NpuSpec& npu : spec.npus.empty() ? std::vector<NpuSpec>{only_npu(spec)} : spec.npus) {
    add_npus(system, npu, scenario, defaults);
  }
  const scheduler::ArbiterInfo& arbiter = arbiter_called(spec.arbiter);
  require_none(objection_to_preemptive(arbiter, spec.preemptive));
  const scheduler::ParameterValues arbiters =
      parameter_values("arbiter " + arbiter.name, arbiter.parameters, spec.arbiter_parameters);
  if (scenario.services.size() > 1) {
    system.arbiter = {.info = &arbiter, .parameters = arbiters, .preemptive = spec.preemptive};
  }
  const scheduler::RouterInfo& router = router_called(spec.router);
  const scheduler::ParameterValues routers =
      parameter_values("router " + router.name, router.parameters, spec.router_parameters);
  if (system.npus.size() > 1) system.router = {.info = &router, .parameters = routers};
  require_none(add_decisions(system, scenario));
  return system;
}

}  // namespace fluidbatch::sim
