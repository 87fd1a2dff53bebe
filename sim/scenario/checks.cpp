#include "sim/scenario/checks.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "workloads/exits/exits.h"
#include "workloads/io/input_error.h"
#include "workloads/traffic/exits_by_service.h"

namespace fluidbatch::sim {

std::optional<std::string> objection_to_label(const std::string& label) {
  const bool good = !label.empty() && std::all_of(label.begin(), label.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
  if (good) return std::nullopt;
  return "a label is made of letters, digits, '_' and '-', found '" + label + "'";
}

std::optional<std::string> objection_to_second_label(const std::vector<System>& systems,
                                                     const std::string& label) {
  const bool first = std::none_of(systems.begin(), systems.end(),
                                  [&](const System& system) { return system.label == label; });
  if (first) return std::nullopt;
  return "two systems are labelled '" + label + "'; give each a 'label'";
}

std::optional<std::string> objection_to_service_name(const std::vector<Service>& services,
                                                     const std::string& name) {
  if (auto objection = objection_to_label(name)) return "a name of a service is a label: " + *objection;
  if (std::ranges::find(services, name, &Service::name) == services.end()) return std::nullopt;
  return "two services are called '" + name + "'";
}

std::optional<std::string> objection_to_services(std::size_t services) {
  if (services <= kMostServices) return std::nullopt;
  return "there must not be more than " + std::to_string(kMostServices) + " services, found " +
         std::to_string(services);
}

std::optional<std::string> objection_to_policy(const scheduler::PolicyInfo& policy,
                                               const std::vector<Service>& services) {
  const bool from_sending =
      std::ranges::any_of(services, [](const Service& service) { return service.slo.end_to_end; });
  if (!from_sending || !policy.needs_deadlines_in_order) return std::nullopt;
  return policy.name +
         " takes the queue to be in order of deadlines, which it is with slo.measured: server only";
}

std::optional<std::string> objection_to_preemptive(const scheduler::ArbiterInfo& arbiter, bool preemptive) {
  if (!preemptive || arbiter.may_preempt) return std::nullopt;
  std::vector<std::string> names;
  for (const scheduler::ArbiterInfo& info : scheduler::all_arbiters()) {
    if (info.may_preempt) names.push_back(info.name);
  }
  return "the order of arbiter " + arbiter.name +
         " does not say who may push a batch off the NPU; that of these does: " + io::quoted_list(names);
}

std::optional<std::string> objection_to_npus(std::size_t npus) {
  if (npus <= static_cast<std::size_t>(kMostNpus)) return std::nullopt;
  return "a system must not have more than " + std::to_string(kMostNpus) + " NPUs, found " +
         std::to_string(npus);
}

std::optional<std::string> objection_to_devices(const Scenario& scenario) {
  for (std::size_t service = 0; service < scenario.services.size(); ++service) {
    const auto& groups = scenario.devices.groups();
    if (std::ranges::find(groups, service, &workloads::DeviceGroup::service) != groups.end()) continue;
    return "no group of devices sends for service '" + scenario.services[service].name + "'";
  }
  return std::nullopt;
}

std::optional<std::string> objection_to_exit_list(const Scenario& scenario, std::size_t service) {
  if (scenario.services.size() == 1) return std::nullopt;
  return workloads::objection_to_exit_list(*scenario.services[service].exits, scenario.devices, service);
}

std::optional<std::string> add_decisions(System& system, const Scenario& scenario) {
  if (!system.policy->decisions) return std::nullopt;
  const auto& parameters = system.policy->parameters;
  const bool are_computed = std::ranges::none_of(parameters, &scheduler::Parameter::table);
  if (are_computed && scenario.is_site(system)) {
    return "policy " + system.policy->name +
           ": the best decisions are known for one service on one NPU, and not where services or NPUs share "
           "requests among them";
  }
  std::vector<std::shared_ptr<const scheduler::FbeTable>> decisions;  // NPU by NPU
  try {
    for (std::size_t npu = 0; npu < system.npus.size(); ++npu) {
      for (std::size_t service = 0; service < scenario.services.size(); ++service) {
        const scheduler::PolicyContext context = scenario.policy_context(system, npu, service);
        decisions.push_back(system.policy->decisions(system.parameters, context));
      }
    }
  } catch (const std::invalid_argument& error) {
    return "policy " + system.policy->name + ": " + error.what();
  }
  auto next = decisions.begin();
  for (SystemNpu& npu : system.npus) {
    const auto end = next + static_cast<std::ptrdiff_t>(scenario.services.size());
    npu.decisions.assign(next, end);
    next = end;
  }
  return std::nullopt;
}

std::optional<std::string> objection_to_exit_control(const ExitControlChoice& control,
                                                     const Service& service) {
  if (!control.decides()) return std::nullopt;
  const bool has_target = !std::isnan(control.accuracy_target());
  const workloads::RecordedConfidences* confidences = service.exits->confidences();
  if (confidences == nullptr) {
    const bool needed = control.info->traits(control.parameters).needs_confidences;
    if (!needed && !has_target) return std::nullopt;
    const std::string place =
        service.name.empty() ? "workload.exits" : "exits of service '" + service.name + "'";
    return "exit_control " + control.info->name +
           " needs the confidence of each sample at every exit: " + place + " must be of kind confidences";
  }
  if (!has_target || confidences->rows() >= 2) return std::nullopt;
  return "an accuracy_target needs recorded samples to calibrate and others to serve; the file has one row";
}

bool any_slo(const std::vector<Service>& services) {
  return std::ranges::any_of(services,
                             [](const Service& service) { return std::isfinite(service.slo.latency_s); });
}

std::optional<std::string> objection_to_target(StatisticId statistic, bool has_slo) {
  const auto name_of = [](StatisticId id) { return all_statistics()[static_cast<std::size_t>(id)].name; };
  if (!half_width_of(statistic)) {
    std::vector<std::string> names;
    for (const StatisticId id : statistics_with_interval()) names.emplace_back(name_of(id));
    return std::string(name_of(statistic)) + " has no interval; those that have one are " +
           io::quoted_list(names);
  }
  if (statistic != StatisticId::slo_violation_rate || has_slo) return std::nullopt;
  return std::string(name_of(statistic)) + " needs an SLO: nothing is late without one";
}

std::optional<std::string> objection_to_warmup(const Scenario& scenario) {
  const auto requests = scenario.known_requests();
  if (!requests || scenario.warmup_requests < *requests) return std::nullopt;
  return "warmup_requests (" + std::to_string(scenario.warmup_requests) + ") leaves none of the " +
         std::to_string(*requests) + " requests to measure";
}

}  // namespace fluidbatch::sim
