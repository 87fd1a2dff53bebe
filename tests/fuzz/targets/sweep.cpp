// A sweep, and the configurations of a few of its settings.
#include <algorithm>

#include "sim/config/run_config.h"
#include "sim/sweep/sweep_file.h"
#include "tests/fuzz/target.h"

namespace fluidbatch::fuzz {
namespace {

void read(const std::string& input) {
  const sim::Sweep sweep = sim::load_sweep(file_of("input.yaml", input), {});
  sim::ModelCache cache;
  for (std::size_t setting = 0; setting < std::min<std::size_t>(sweep.settings(), 4); ++setting) {
    sim::read_run_config(sweep.configuration(setting), cache);
  }
}

const TargetRegistration kRegistration({"sweep", read});

}  // namespace
}  // namespace fluidbatch::fuzz
