#include "sim/simulation.h"

#include "sim/bounds.h"
#include "sim/recorder.h"
#include "sim/server.h"

namespace fluidbatch::sim {

RunStatistics simulate(const RunConfig& config, const SystemConfig& system, Driver driver,
                       const Recorder::RequestSink& sink, std::atomic<std::uint64_t>* progress,
                       const std::vector<Observer*>& observers) {
  const auto policy = system.policy->make(system.parameters, config.policy_context());
  workloads::RequestStream stream(*config.arrivals, *config.exits, config.seed, config.length);
  Recorder recorder(*system.table, config.slo_s, config.warmup_requests, sink, progress);
  if (const auto requests = config.known_requests()) recorder.reserve(*requests);
  std::vector<Observer*> all{&recorder};
  all.insert(all.end(), observers.begin(), observers.end());
  ObserverList list(all);
  Observer& observer = observers.empty() ? static_cast<Observer&>(recorder) : list;
  Server server(*system.table, config.slo_s, system.drop_hopeless, *policy, stream, observer);
  drive(server, driver);
  RunStatistics statistics =
      compute_statistics(recorder.totals(), server.conservation(), *system.table, config.slo_s);
  if (config.compute_bounds) {
    workloads::RequestStream again(*config.arrivals, *config.exits, config.seed, config.length);
    add_bounds(statistics, latency_bounds(*system.table, again, config.warmup_requests));
  }
  return statistics;
}

}  // namespace fluidbatch::sim
