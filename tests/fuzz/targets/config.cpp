// A run's configuration. What is accepted and short is also simulated, with all invariants on.
#include "sim/config/run_config.h"
#include "sim/run/settle.h"
#include "sim/run/simulation.h"
#include "tests/fuzz/target.h"

namespace fluidbatch::fuzz {
namespace {

void read(const std::string& input) {
  const sim::RunConfig config = sim::load_run_config(file_of("input.yaml", input), {});
  const auto requests = config.known_requests();
  const bool is_short =
      requests && *requests <= 200 && config.devices.size() <= 100 && config.systems.size() <= 4;
  if (!is_short || config.uplink.model == workloads::UplinkSpec::Model::simgrid) return;
  for (const sim::System& system : config.systems) {
    sim::RunConfig scenario = config;
    sim::settle(scenario, system);
    const sim::RunStatistics statistics = sim::simulate(scenario, system);
    // Neither holds for NaN: that is, where a statistic is not defined.
    require(!(statistics[sim::StatisticId::busy_fraction] > 1 + 1e-9), "busy for more than all of the time");
    require(!(statistics[sim::StatisticId::distance_to_bound] < 1 - 1e-9), "below the lower bound");
  }
}

const TargetRegistration kRegistration({"config", read});

}  // namespace
}  // namespace fluidbatch::fuzz
