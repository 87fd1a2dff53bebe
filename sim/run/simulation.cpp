#include "sim/run/simulation.h"

#include <cmath>

#include "sim/drive/delivered_requests.h"
#include "sim/drive/driver_choice.h"
#include "sim/drive/engine.h"
#include "sim/measure/bounds.h"
#include "sim/run/serving.h"
#include "sim/scenario/expected_length.h"
#include "sim/scenario/scenario.h"
#include "sim/scenario/workload.h"
#include "workloads/io/input_error.h"

namespace fluidbatch::sim {
namespace {

using UplinkModel = workloads::UplinkSpec::Model;

/// Runs the server to its end; what it counted. `observer` may be null.
Conservation serve(const Scenario& scenario, const System& system, Driver driver, Recorder& recorder,
                   Observer* observer) {
  const auto policy = system.policy->make(system.parameters, scenario.policy_context());
  const ServerOptions options{.policy = system.policy->name,
                              .slo_s = scenario.slo.server_latency_s(),
                              .slo_from_sending = scenario.slo.end_to_end,
                              .drop_hopeless = system.drop_hopeless};
  if (scenario.uplink.model != UplinkModel::simgrid) {
    Workload workload(scenario);
    const auto server = make_server(*system.table, options, *policy, workload.requests(), recorder, observer);
    drive(*server, driver);
    return server->conservation();
  }
  workloads::SentRequests sends = sent_requests(scenario);
  DeliveredRequests delivered(sends);
  const auto server = make_server(*system.table, options, *policy, delivered, recorder, observer);
  LinkedServer linked{.server = *server,
                      .delivered = delivered,
                      .sends = sends,
                      .devices = scenario.devices,
                      .uplink = scenario.uplink};
  drive_over_links(linked);
  return server->conservation();
}

/// Whether check_expected_dates has been able to judge the run: an uplink may delay requests, and what
/// answers set off has no rate.
bool dates_are_foreseen(const Scenario& scenario) {
  return scenario.uplink.model == UplinkModel::none && !std::isnan(expected_length(scenario).last_arrival_s);
}

}  // namespace

RunStatistics simulate(const Scenario& scenario, const System& system, const SimulationOptions& options) {
  check_driver(options.driver, scenario.uplink);
  Recorder recorder(*system.table, scenario.slo, scenario.warmup_requests, options.progress);
  if (const auto requests = scenario.known_requests()) recorder.reserve(*requests);
  ObserverList list(options.observers);
  Observer* const several = options.observers.empty() ? nullptr : &list;
  Observer* const observer = options.observers.size() == 1 ? options.observers.front() : several;
  const Conservation conservation = serve(scenario, system, options.driver, recorder, observer);
  Totals& totals = recorder.finish();
  if (!dates_are_foreseen(scenario)) {
    if (const auto objection = objection_to_dates(conservation.end_s, *system.table)) {
      throw io::InputError("system '" + system.label + "': " + *objection);
    }
  }
  RunStatistics statistics = compute_statistics(totals, conservation, *system.table, scenario.slo);
  // A closed loop sends otherwise under every policy, so that no bound is common to all; nor is it where a
  // policy chooses whom to answer.
  if (scenario.compute_bounds && !scenario.devices.listen() && totals.dropped == 0) {
    Workload again(scenario);
    add_bounds(statistics, latency_bounds(*system.table, again.requests(), scenario.warmup_requests),
               conservation.end_s);
  }
  return statistics;
}

}  // namespace fluidbatch::sim
