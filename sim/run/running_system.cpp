#include "sim/run/running_system.h"

#include <cmath>
#include <utility>

#include "sim/measure/bounds.h"
#include "sim/scenario/expected_length.h"
#include "sim/scenario/workload.h"
#include "workloads/io/input_error.h"

namespace fluidbatch::sim {
namespace {

using UplinkModel = workloads::UplinkSpec::Model;

/// Whether check_expected_dates has been able to judge the run: an uplink may delay requests, and what
/// answers set off has no rate.
bool dates_are_foreseen(const Scenario& scenario) {
  return scenario.uplink.model == UplinkModel::none && !std::isnan(expected_length(scenario).last_arrival_s);
}

}  // namespace

void check_dates(const Scenario& scenario, const System& system, double end_s) {
  if (dates_are_foreseen(scenario)) return;
  for (const SystemNpu& npu : system.npus) {
    for (const auto& table : npu.tables) {
      if (const auto objection = objection_to_dates(end_s, *table)) {
        throw io::InputError("system '" + system.label + "': " + *objection);
      }
    }
  }
}

ExitThresholds exit_thresholds(const workloads::ExitSpec& exits, bool decides,
                               const npu::BatchPolicyTable& table) {
  const workloads::RecordedConfidences* confidences = exits.confidences();
  return {.decided = decides && table.segments() > 1,
          .fixed = confidences == nullptr ? std::vector<double>() : confidences->thresholds()};
}

RunningSystem::RunningSystem(const Scenario& scenario, const System& system, const Options& options)
    : RunningSystem(scenario, system, options, nullptr) {}

RunningSystem::RunningSystem(const Scenario& scenario, const System& system, const Options& options,
                             std::unique_ptr<workloads::RequestStream> stream)
    : scenario_(scenario),
      system_(system),
      watch_(options.watch),
      parts_(scenario, system, options.read_ahead, std::move(stream)),
      recorder_(*system.table(), scenario.service().slo, scenario.warmup_requests, options.watch) {
  if (parts_.decides_exits()) recorder_.keep_thresholds();
  if (const auto requests = scenario.known_requests()) recorder_.reserve(*requests);
  core_ = make_server(serving_parts(options.observer));
}

RunningSystem::RunningSystem(const RunningSystem& other, Observer* observer)
    : scenario_(other.scenario_),
      system_(other.system_),
      watch_(other.watch_),
      parts_(other.parts_),
      is_split_(other.is_split_),
      recorder_(other.recorder_),
      core_(make_server(serving_parts(observer), other.core_->state())) {}

ServingParts RunningSystem::serving_parts(Observer* observer) {
  return {.table = parts_.table(),
          .options = parts_.options(),
          .policy = parts_.policy(),
          .stream = parts_.stream(),
          .recorder = recorder_,
          .observer = observer,
          .exits = parts_.exit_source()};
}

RunStatistics RunningSystem::finish() {
  core_->finish();
  const Conservation& conservation = core_->state().conservation;
  Totals& totals = recorder_.finish();
  check_dates(scenario_, system_, conservation.end_s);
  RunStatistics statistics =
      compute_statistics(totals, conservation, scenario_.service().slo,
                         exit_thresholds(parts_.exits(), parts_.decides_exits(), *system_.table()));
  // A closed loop sends otherwise under every policy, so that no bound is common to all; nor is it where a
  // policy chooses whom to answer, or an exit control how much work there is.
  if (scenario_.compute_bounds && !is_split_ && !scenario_.devices.listen() && totals.dropped == 0 &&
      !parts_.decides_exits()) {
    const auto again = arriving_requests(scenario_, parts_.exits());
    add_bounds(statistics, latency_bounds(*system_.table(), *again, scenario_.warmup_requests, watch_),
               conservation.end_s);
  }
  return statistics;
}

}  // namespace fluidbatch::sim
