#include "sim/config/one_system.h"

#include <algorithm>
#include <vector>

#include "sim/config/run_config.h"
#include "workloads/io/input_error.h"

namespace fluidbatch::sim {

std::size_t keep_system(RunConfig& config, const std::string& label, const io::Mark& mark) {
  std::vector<std::string> labels;
  for (const System& system : config.systems) labels.push_back(system.label);
  const auto found = std::find(labels.begin(), labels.end(), label);
  if (found == labels.end()) throw io::InputError(mark, io::unknown_word("system", label, labels));
  const auto index = static_cast<std::size_t>(found - labels.begin());
  config.systems = {config.systems[index]};
  return index;
}

}  // namespace fluidbatch::sim
