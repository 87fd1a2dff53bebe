#include "sim/simulation.h"

#include <cmath>

#include "sim/bounds.h"
#include "sim/delivered_requests.h"
#include "sim/expected_length.h"
#include "sim/recorder.h"
#include "sim/server.h"
#include "sim/workload.h"
#include "workloads/io/input_error.h"

namespace fluidbatch::sim {
namespace {

using UplinkModel = workloads::UplinkSpec::Model;

/// Runs the server to its end; what it counted. `observer` may be null.
Conservation serve(const RunConfig& config, const SystemConfig& system, Driver driver, Recorder& recorder,
                   Observer* observer) {
  const auto policy = system.policy->make(system.parameters, config.policy_context());
  const ServerOptions options{.slo_s = config.slo.server_latency_s(),
                              .slo_from_sending = config.slo.end_to_end,
                              .drop_hopeless = system.drop_hopeless};
  if (config.uplink.model != UplinkModel::simgrid) {
    Workload workload(config);
    Server server(*system.table, options, *policy, workload.requests(), recorder, observer);
    drive(server, driver);
    return server.conservation();
  }
  workloads::SentRequests sends(config.devices, *config.exits, config.seed, config.length,
                                config.uplink.answer_latency_s);
  DeliveredRequests delivered(sends);
  Server server(*system.table, options, *policy, delivered, recorder, observer);
  LinkedServer linked{.server = server,
                      .delivered = delivered,
                      .sends = sends,
                      .devices = config.devices,
                      .uplink = config.uplink};
  drive_over_links(linked);
  return server.conservation();
}

/// Whether check_expected_dates has been able to judge the run: an uplink may delay requests, and what
/// answers set off has no rate.
bool dates_are_foreseen(const RunConfig& config) {
  return config.uplink.model == UplinkModel::none && !std::isnan(expected_length(config).last_arrival_s);
}

}  // namespace

RunStatistics simulate(const RunConfig& config, const SystemConfig& system, Driver driver,
                       const Recorder::RequestSink& sink, std::atomic<std::uint64_t>* progress,
                       const std::vector<Observer*>& observers) {
  Recorder recorder(*system.table, config.slo, config.warmup_requests, sink, progress);
  if (const auto requests = config.known_requests()) recorder.reserve(*requests);
  ObserverList list(observers);
  const Conservation conservation =
      serve(config, system, driver, recorder, observers.empty() ? nullptr : &list);
  Totals& totals = recorder.finish();
  if (!dates_are_foreseen(config)) {
    if (const auto objection = objection_to_dates(conservation.end_s, *system.table)) {
      throw io::InputError("system '" + system.label + "': " + *objection);
    }
  }
  RunStatistics statistics = compute_statistics(totals, conservation, *system.table, config.slo);
  // A closed loop sends otherwise under every policy, so that no bound is common to all; nor is it where a
  // policy chooses whom to answer.
  if (config.compute_bounds && !config.devices.listen() && totals.dropped == 0) {
    Workload again(config);
    add_bounds(statistics, latency_bounds(*system.table, again.requests(), config.warmup_requests),
               conservation.end_s);
  }
  return statistics;
}

}  // namespace fluidbatch::sim
