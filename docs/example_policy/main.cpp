// Runs a configuration in this process, and prints the mean latency of each of its systems.
#include <cstdio>
#include <exception>

#include "sim/config/run_config.h"
#include "sim/run/simulation.h"

int main(int argc, char** argv) {
  namespace sim = fluidbatch::sim;
  if (argc != 2) {
    std::fputs("usage: mean_latency CONFIG\n", stderr);
    return 2;
  }
  try {
    const sim::RunConfig scenario = sim::load_run_config(argv[1], {});
    for (const sim::System& system : scenario.systems) {
      // `bare` works any number of times in a process, SimGrid's clock once; the results are the same bytes.
      const sim::RunStatistics result = sim::simulate(scenario, system);
      std::printf("%s %.17g s\n", system.label.c_str(), result[sim::StatisticId::mean_latency]);
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
  return 0;
}
