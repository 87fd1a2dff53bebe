#include "sim/scenario/scenario.h"

#include <algorithm>
#include <limits>

namespace fluidbatch::sim {

std::optional<std::uint64_t> Scenario::known_requests() const {
  std::uint64_t most = length.requests;
  if (devices.bound() > 0) most = std::min(most, devices.bound());
  if (exits->bound() > 0) most = std::min(most, exits->bound());
  if (most == std::numeric_limits<std::uint64_t>::max()) return std::nullopt;
  return most;
}

}  // namespace fluidbatch::sim
