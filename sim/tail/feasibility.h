// What can be split, and how the runs of a system are cut.
#pragma once

#include <optional>

#include "sim/tail/splitting.h"
#include "sim/tail/tail.h"

namespace fluidbatch::sim {

/// Of cycles between dates at which the system is empty or, where it hardly ever is, of batches of requests;
/// with the scenario's warm-up where an empty system has not forgotten all. Found by a run. Throws Saturated.
Cycles cycles_of(const Scenario& scenario, const System& system);

}  // namespace fluidbatch::sim
