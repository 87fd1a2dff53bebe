#include "sim/run/simulation.h"

#include <memory>
#include <stdexcept>
#include <utility>

#include "sim/drive/delivered_requests.h"
#include "sim/drive/driver_choice.h"
#include "sim/drive/engine.h"
#include "sim/run/running_site.h"
#include "sim/run/running_system.h"
#include "sim/scenario/scenario.h"
#include "sim/scenario/workload.h"

namespace fluidbatch::sim {
namespace {

/// `Running`: RunningSystem or RunningSite.
template <typename Running>
RunStatistics run_as(const Scenario& scenario, const System& system, const RunningSystem::Options& options,
                     Driver driver) {
  if (scenario.uplink.model != workloads::UplinkSpec::Model::simgrid) {
    Running run(scenario, system, options);
    drive(run.core(), driver);
    return run.finish();
  }
  const auto exits = scenario.exits_of(system);
  workloads::SentRequests sends = sent_requests(scenario, *exits);
  auto stream = std::make_unique<DeliveredRequests>(sends);
  DeliveredRequests& delivered = *stream;
  Running run(scenario, system, options, std::move(stream));
  LinkedServer linked{.server = run.core(),
                      .delivered = delivered,
                      .sends = sends,
                      .devices = scenario.devices,
                      .uplink = scenario.uplink};
  drive_over_links(linked);
  return run.finish();
}

}  // namespace

RunStatistics simulate(const Scenario& scenario, const System& system, const SimulationOptions& options) {
  if (scenario.is_open()) {
    throw std::invalid_argument("a run to a precision, or with an automatic warm-up, must be settled first");
  }
  check_driver(options.driver, scenario.uplink);
  ObserverList list(options.observers);
  Observer* const several = options.observers.empty() ? nullptr : &list;
  Observer* const observer = options.observers.size() == 1 ? options.observers.front() : several;
  const RunningSystem::Options running{.watch = options.watch, .observer = observer};
  return scenario.is_site(system) ? run_as<RunningSite>(scenario, system, running, options.driver)
                                  : run_as<RunningSystem>(scenario, system, running, options.driver);
}

}  // namespace fluidbatch::sim
