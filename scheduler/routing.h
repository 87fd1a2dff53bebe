// What routers that compare times have in common.
#pragma once

#include <cstddef>
#include <span>

namespace fluidbatch::scheduler {

/// The lowest number of those whose time is within kDeadlineTolerance_s of the smallest. Precondition: there
/// is one.
std::size_t first_of_least(std::span<const double> times_s);

}  // namespace fluidbatch::scheduler
