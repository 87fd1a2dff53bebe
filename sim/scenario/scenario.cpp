#include "sim/scenario/scenario.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>

#include "workloads/traffic/exits_by_service.h"

namespace fluidbatch::sim {
namespace {

/// The even rows, by exit.
std::vector<std::vector<scheduler::JudgedExit>> calibration_of(const workloads::RecordedConfidences& rows) {
  std::vector<std::vector<scheduler::JudgedExit>> by_exit(rows.exits());
  for (std::size_t exit = 0; exit < rows.exits(); ++exit) {
    for (std::size_t row = 0; row < rows.rows(); row += 2) {
      by_exit[exit].push_back(
          {.confidence = rows.confidence(row, exit), .correct = rows.correct(row, exit) == 1});
    }
  }
  return by_exit;
}

/// As in: 2 x a + b.
std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size();) {
    std::size_t end = i + 1;
    while (end < names.size() && names[end] == names[i]) ++end;
    if (!text.empty()) text += " + ";
    if (end - i > 1) text += std::to_string(end - i) + " x ";
    text += names[i];
    i = end;
  }
  return text;
}

}  // namespace

double ExitControlChoice::accuracy_target() const {
  if (info == nullptr) return std::numeric_limits<double>::quiet_NaN();
  return info->traits(parameters).accuracy_target;
}

const SystemNpu& System::sole() const {
  if (npus.size() != 1 || npus.front().tables.size() != 1) {
    throw std::logic_error("system '" + label + "' has several NPUs or services");
  }
  return npus.front();
}

const ExitControlChoice& System::exit_control() const {
  if (exit_controls.size() != 1) throw std::logic_error("system '" + label + "' has several services");
  return exit_controls.front();
}

std::string System::npu_names() const {
  std::vector<std::string> names;
  for (const SystemNpu& npu : npus) names.push_back(npu.name);
  return joined(names);
}

std::string System::npu_mode_names() const {
  std::vector<std::string> names;
  for (const SystemNpu& npu : npus) names.emplace_back(npu.tables.front()->mode_name());
  const bool alike =
      std::ranges::all_of(names, [&](const std::string& name) { return name == names.front(); });
  return alike ? names.front() : joined(names);
}

bool System::decides_exits() const { return std::ranges::any_of(exit_controls, &ExitControlChoice::decides); }

const Service& Scenario::service() const {
  if (services.size() != 1) throw std::logic_error("the scenario has several services");
  return services.front();
}

Service& Scenario::service() {
  if (services.size() != 1) throw std::logic_error("the scenario has several services");
  return services.front();
}

std::string Scenario::network_names() const {
  std::vector<std::string> names;
  for (const Service& service : services) names.push_back(service.network.name);
  return joined(names);
}

double Scenario::least_slo_s() const {
  double least_s = std::numeric_limits<double>::infinity();
  for (const Service& service : services) least_s = std::min(least_s, service.slo.latency_s);
  return least_s;
}

std::shared_ptr<const workloads::ExitSpec> Scenario::exits_of(const System& system,
                                                              std::size_t service) const {
  const std::shared_ptr<const workloads::ExitSpec>& exits = services[service].exits;
  return std::isnan(system.exit_controls[service].accuracy_target()) ? exits : exits->of_odd_rows();
}

std::shared_ptr<const workloads::ExitSpec> Scenario::exits_of(const System& system) const {
  if (services.size() == 1) return exits_of(system, 0);
  std::vector<std::shared_ptr<const workloads::ExitSpec>> all;
  for (std::size_t service = 0; service < services.size(); ++service)
    all.push_back(exits_of(system, service));
  return workloads::make_exits_by_service(std::move(all), devices);
}

std::unique_ptr<scheduler::ExitControl> Scenario::make_exit_control(const System& system,
                                                                    std::size_t service) const {
  const ExitControlChoice& choice = system.exit_controls[service];
  if (!choice.decides()) return nullptr;
  scheduler::ExitControlContext context;
  if (const workloads::RecordedConfidences* confidences = services[service].exits->confidences()) {
    context.thresholds = confidences->thresholds();
    if (!std::isnan(choice.accuracy_target())) context.calibration = calibration_of(*confidences);
  }
  return choice.info->make(choice.parameters, context);
}

scheduler::PolicyContext Scenario::policy_context(const System& system, std::size_t npu,
                                                  std::size_t service) const {
  const SystemNpu& its = system.npus[npu];
  return {.exit_rates = services[service].exits->rates(),
          .rate_hz = devices.mean_rate_hz(service) / static_cast<double>(system.npus.size()),
          .latencies = its.tables[service].get(),
          .decisions = its.decisions.empty() ? nullptr : its.decisions[service]};
}

std::uint64_t Scenario::bound_of_exits() const {
  return services.size() == 1 ? services.front().exits->bound() : 0;
}

std::optional<std::uint64_t> Scenario::known_requests() const {
  std::uint64_t most = length.requests;
  if (devices.bound() > 0) most = std::min(most, devices.bound());
  if (bound_of_exits() > 0) most = std::min(most, bound_of_exits());
  if (most == std::numeric_limits<std::uint64_t>::max()) return std::nullopt;
  return most;
}

}  // namespace fluidbatch::sim
