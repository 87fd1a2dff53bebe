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

ServerOptions options_of(const Scenario& scenario, const System& system, std::size_t read_ahead) {
  return {.policy = system.policy->name,
          .traits = system.policy->traits(system.parameters),
          .slo = scenario.slo.of_server(),
          .drop_hopeless = system.drop_hopeless,
          .preemption_cost_s = system.preemption_cost_s,
          .audit = scenario.audit,
          .read_ahead = read_ahead};
}

}  // namespace

RunningSystem::RunningSystem(const Scenario& scenario, const System& system, const Options& options)
    : RunningSystem(scenario, system, options, nullptr) {}

RunningSystem::RunningSystem(const Scenario& scenario, const System& system, const Options& options,
                             std::unique_ptr<workloads::RequestStream> stream)
    : scenario_(scenario),
      system_(system),
      options_(options_of(scenario, system, options.read_ahead)),
      policy_(system.policy->make(system.parameters, scenario.policy_context(system))),
      exit_control_(scenario.make_exit_control(system)),
      exits_(scenario.exits_of(system)),
      stream_(stream == nullptr ? arriving_requests(scenario, *exits_) : std::move(stream)),
      recorder_(*system.table, scenario.slo, scenario.warmup_requests, options.progress) {
  if (exit_control_ != nullptr) recorder_.keep_thresholds();
  if (const auto requests = scenario.known_requests()) recorder_.reserve(*requests);
  core_ = make_server(parts(options.observer));
}

RunningSystem::RunningSystem(const RunningSystem& other, Observer* observer)
    : scenario_(other.scenario_),
      system_(other.system_),
      options_(other.options_),
      policy_(other.policy_->clone()),
      exit_control_(other.exit_control_ == nullptr ? nullptr : other.exit_control_->clone()),
      exits_(other.exits_),
      stream_(other.stream_->clone()),
      is_split_(other.is_split_),
      recorder_(other.recorder_),
      core_(make_server(parts(observer), other.core_->state())) {}

ServingParts RunningSystem::parts(Observer* observer) {
  return {.table = *system_.table,
          .options = options_,
          .policy = *policy_,
          .stream = *stream_,
          .recorder = recorder_,
          .observer = observer,
          .exits = {.control = exit_control_.get(), .confidences = exits_->confidences()}};
}

ExitThresholds RunningSystem::thresholds() const {
  const workloads::RecordedConfidences* confidences = exits_->confidences();
  return {.decided = exit_control_ != nullptr && system_.table->segments() > 1,
          .fixed = confidences == nullptr ? std::vector<double>() : confidences->thresholds()};
}

RunStatistics RunningSystem::finish() {
  core_->finish();
  const Conservation& conservation = core_->conservation();
  Totals& totals = recorder_.finish();
  if (!dates_are_foreseen(scenario_)) {
    if (const auto objection = objection_to_dates(conservation.end_s, *system_.table)) {
      throw io::InputError("system '" + system_.label + "': " + *objection);
    }
  }
  RunStatistics statistics =
      compute_statistics(totals, conservation, *system_.table, scenario_.slo, thresholds());
  // A closed loop sends otherwise under every policy, so that no bound is common to all; nor is it where a
  // policy chooses whom to answer, or an exit control how much work there is.
  if (scenario_.compute_bounds && !is_split_ && !scenario_.devices.listen() && totals.dropped == 0 &&
      exit_control_ == nullptr) {
    const auto again = arriving_requests(scenario_, *exits_);
    add_bounds(statistics, latency_bounds(*system_.table, *again, scenario_.warmup_requests),
               conservation.end_s);
  }
  return statistics;
}

}  // namespace fluidbatch::sim
