// What the numbers of a run don't say by themselves.
#pragma once

#include <string>
#include <vector>

#include "sim/measure/statistics.h"
#include "sim/scenario/scenario.h"

namespace fluidbatch::sim {

/// A share as a text in per cent; `-` where it is NaN.
std::string per_cent_text(double share);

/// Which precisions (`until`) were not reached, and why; and that an automatic warm-up was found at the end
/// of what is looked at. Each a sentence; none where there is nothing to say.
std::vector<std::string> notes_on_precision(const Scenario& scenario,
                                            const std::vector<RunStatistics>& results);

/// The same after what concerns the length: why a run had fewer requests than were asked for, or measured
/// none.
std::vector<std::string> notes_on_run(const Scenario& scenario, const std::vector<RunStatistics>& results);

}  // namespace fluidbatch::sim
