#include "sim/run/simulation.h"

#include <cmath>
#include <utility>

#include "sim/drive/delivered_requests.h"
#include "sim/drive/engine.h"
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

Simulation::Simulation(const Scenario& scenario, const System& system, const Options& options)
    : Simulation(scenario, system, options, arriving_requests(scenario)) {}

Simulation::Simulation(const Scenario& scenario, const System& system, const Options& options,
                       std::unique_ptr<workloads::RequestStream> stream)
    : scenario_(scenario),
      system_(system),
      options_(options_of(scenario, system, options.read_ahead)),
      policy_(system.policy->make(system.parameters, scenario.policy_context())),
      stream_(std::move(stream)),
      recorder_(*system.table, scenario.slo, scenario.warmup_requests, options.sink, options.progress) {
  if (const auto requests = scenario.known_requests()) recorder_.reserve(*requests);
  core_ = make_server(parts(options.observer));
}

Simulation::Simulation(const Simulation& other, Observer* observer)
    : scenario_(other.scenario_),
      system_(other.system_),
      options_(other.options_),
      policy_(other.policy_->clone()),
      stream_(other.stream_->clone()),
      recorder_(other.recorder_),
      core_(make_server(parts(observer), other.core_->state())) {}

ServingParts Simulation::parts(Observer* observer) {
  return {.table = *system_.table,
          .options = options_,
          .policy = *policy_,
          .stream = *stream_,
          .recorder = recorder_,
          .observer = observer};
}

RunStatistics Simulation::finish() {
  core_->finish();
  const Conservation& conservation = core_->conservation();
  Totals& totals = recorder_.finish();
  if (!dates_are_foreseen(scenario_)) {
    if (const auto objection = objection_to_dates(conservation.end_s, *system_.table)) {
      throw io::InputError("system '" + system_.label + "': " + *objection);
    }
  }
  RunStatistics statistics = compute_statistics(totals, conservation, *system_.table, scenario_.slo);
  // A closed loop sends otherwise under every policy, so that no bound is common to all; nor is it where a
  // policy chooses whom to answer.
  if (scenario_.compute_bounds && !scenario_.devices.listen() && totals.dropped == 0) {
    const auto again = arriving_requests(scenario_);
    add_bounds(statistics, latency_bounds(*system_.table, *again, scenario_.warmup_requests),
               conservation.end_s);
  }
  return statistics;
}

RunStatistics simulate(const Scenario& scenario, const System& system, Driver driver,
                       const Recorder::RequestSink& sink, std::atomic<std::uint64_t>* progress,
                       const std::vector<Observer*>& observers) {
  ObserverList list(observers);
  const Simulation::Options options{
      .sink = sink, .progress = progress, .observer = observers.empty() ? nullptr : &list};
  if (scenario.uplink.model != UplinkModel::simgrid) {
    Simulation simulation(scenario, system, options);
    drive(simulation.core(), driver);
    return simulation.finish();
  }
  workloads::SentRequests sends = sent_requests(scenario);
  auto stream = std::make_unique<DeliveredRequests>(sends);
  DeliveredRequests& delivered = *stream;
  Simulation simulation(scenario, system, options, std::move(stream));
  LinkedServer linked{.server = simulation.core(),
                      .delivered = delivered,
                      .sends = sends,
                      .devices = scenario.devices,
                      .uplink = scenario.uplink};
  drive_over_links(linked);
  return simulation.finish();
}

}  // namespace fluidbatch::sim
