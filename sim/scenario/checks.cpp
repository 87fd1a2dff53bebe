#include "sim/scenario/checks.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "workloads/io/input_error.h"

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

std::optional<std::string> objection_to_policy(const scheduler::PolicyInfo& policy,
                                               const scheduler::Slo& slo) {
  if (!slo.end_to_end || !policy.needs_deadlines_in_order) return std::nullopt;
  return policy.name +
         " takes the queue to be in order of deadlines, which it is with slo.measured: server only";
}

std::optional<std::string> add_decisions(System& system, const Scenario& scenario) {
  if (!system.policy->decisions) return std::nullopt;
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
                                                     const workloads::ExitSpec& exits) {
  if (!control.decides()) return std::nullopt;
  const bool has_target = !std::isnan(control.accuracy_target());
  const workloads::RecordedConfidences* confidences = exits.confidences();
  if (confidences == nullptr) {
    const bool needed = control.info->traits(control.parameters).needs_confidences;
    if (!needed && !has_target) return std::nullopt;
    return "exit_control " + control.info->name +
           " needs the confidence of each sample at every exit: workload.exits must be of kind confidences";
  }
  if (!has_target || confidences->rows() >= 2) return std::nullopt;
  return "an accuracy_target needs recorded samples to calibrate and others to serve; the file has one row";
}

std::optional<std::string> objection_to_target(StatisticId statistic, const scheduler::Slo& slo) {
  const auto name_of = [](StatisticId id) { return all_statistics()[static_cast<std::size_t>(id)].name; };
  if (!half_width_of(statistic)) {
    std::vector<std::string> names;
    for (const StatisticId id : statistics_with_interval()) names.emplace_back(name_of(id));
    return std::string(name_of(statistic)) + " has no interval; those that have one are " +
           io::quoted_list(names);
  }
  if (statistic != StatisticId::slo_violation_rate || std::isfinite(slo.latency_s)) return std::nullopt;
  return std::string(name_of(statistic)) + " needs an SLO: nothing is late without one";
}

std::optional<std::string> objection_to_warmup(const Scenario& scenario) {
  const auto requests = scenario.known_requests();
  if (!requests || scenario.warmup_requests < *requests) return std::nullopt;
  return "warmup_requests (" + std::to_string(scenario.warmup_requests) + ") leaves none of the " +
         std::to_string(*requests) + " requests to measure";
}

}  // namespace fluidbatch::sim
