#include "sim/simulation.h"

#include "sim/recorder.h"
#include "sim/server.h"

namespace fluidbatch::sim {

RunStatistics simulate(const RunConfig& config, const SystemConfig& system, Driver driver,
                       const Recorder::RequestSink& sink, std::atomic<std::uint64_t>* progress) {
  const auto policy = system.policy->make(system.parameters, config.policy_context());
  workloads::RequestStream stream(*config.arrivals, *config.exits, config.seed, config.length);
  Recorder recorder(*system.table, config.slo_s, config.warmup_requests, sink, progress);
  if (const auto requests = config.known_requests()) recorder.reserve(*requests);
  Server server(*system.table, config.slo_s, system.drop_hopeless, *policy, stream, recorder);
  drive(server, driver);
  return compute_statistics(recorder.totals(), server.conservation(), *system.table, config.slo_s);
}

}  // namespace fluidbatch::sim
