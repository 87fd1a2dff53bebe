// The results file of a sweep, to be compared, resumed and merged.
#include <tuple>

#include "sim/sweep/compare.h"
#include "sim/sweep/merge.h"
#include "sim/sweep/results_file.h"
#include "sim/sweep/results_schema.h"
#include "sim/sweep/sweep_file.h"
#include "tests/fuzz/target.h"

namespace fluidbatch::fuzz {
namespace {

template <typename Use>
void try_to(const Use& use) {
  try {
    use();
  } catch (const io::InputError&) {  // refused for this, perhaps not for the next
  }
}

void read(const std::string& input) {
  static const sim::Sweep sweep = sim::load_sweep(workspace() / "sweep.yaml", {});
  const std::filesystem::path file = file_of("input.sqlite", input);
  try_to([&] { sim::compare_results(file, "system", {"mean_latency_s", "p99_latency_s"}, ""); });
  try_to([&] { sim::compare_results(file, "workload.arrivals.rate_hz", {"slo_violation_rate"}, ""); });
  try_to([&] { sim::compare_results(file, "service", {"mean_latency_s"}, ""); });
  try_to([&] {
    sim::Database database(file, sim::Database::Access::read);
    sim::require_results_file(database);
    // As of a sweep that it belongs to, or nothing after that would be reached.
    const sim::Provenance provenance = sim::read_provenance(database);
    std::ignore = sim::ResultsFile::open(file, sweep, provenance).finished(sim::StatisticId::mean_latency);
  });
  for (const char* suffix : {"-wal", "-shm", "-journal"}) std::filesystem::remove(file.string() + suffix);
  const std::filesystem::path out = workspace() / "merged.sqlite";
  try_to([&] { sim::merge_results({file_of("input.sqlite", input)}, out, true); });
  std::filesystem::remove(out);
}

const TargetRegistration kRegistration({"results", read});

}  // namespace
}  // namespace fluidbatch::fuzz
