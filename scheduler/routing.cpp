#include "scheduler/routing.h"

#include <algorithm>

#include "scheduler/slo.h"

namespace fluidbatch::scheduler {

std::size_t first_of_least(std::span<const double> times_s) {
  const double limit_s = std::ranges::min(times_s) + kDeadlineTolerance_s;
  const auto found = std::ranges::find_if(times_s, [&](double time_s) { return time_s <= limit_s; });
  return static_cast<std::size_t>(found - times_s.begin());
}

}  // namespace fluidbatch::scheduler
