#include "sim/scenario/scenario.h"

#include <algorithm>
#include <cmath>
#include <limits>

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

}  // namespace

double System::accuracy_target() const {
  if (exit_control == nullptr) return std::numeric_limits<double>::quiet_NaN();
  return exit_control->traits(exit_control_parameters).accuracy_target;
}

std::shared_ptr<const workloads::ExitSpec> Scenario::exits_of(const System& system) const {
  return std::isnan(system.accuracy_target()) ? exits : exits->of_odd_rows();
}

std::unique_ptr<scheduler::ExitControl> Scenario::make_exit_control(const System& system) const {
  if (system.exit_control == nullptr) return nullptr;
  scheduler::ExitControlContext context;
  if (const workloads::RecordedConfidences* confidences = exits->confidences()) {
    context.thresholds = confidences->thresholds();
    if (!std::isnan(system.accuracy_target())) context.calibration = calibration_of(*confidences);
  }
  return system.exit_control->make(system.exit_control_parameters, context);
}

scheduler::PolicyContext Scenario::policy_context(const System& system) const {
  return {.exit_rates = exits->rates(),
          .rate_hz = devices.mean_rate_hz(),
          .latencies = system.table.get(),
          .decisions = system.decisions};
}

std::optional<std::uint64_t> Scenario::known_requests() const {
  std::uint64_t most = length.requests;
  if (devices.bound() > 0) most = std::min(most, devices.bound());
  if (exits->bound() > 0) most = std::min(most, exits->bound());
  if (most == std::numeric_limits<std::uint64_t>::max()) return std::nullopt;
  return most;
}

}  // namespace fluidbatch::sim
