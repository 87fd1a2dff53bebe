// summary.json: what one system gave, and what it was.
#pragma once

#include <string>

namespace fluidbatch::sim {

struct RunStatistics;
struct Scenario;
struct System;

/// JSON text; numbers in their shortest form, a statistic that is not defined (or infinite) as null.
std::string summary_json(const Scenario& scenario, const System& system, const RunStatistics& statistics);

}  // namespace fluidbatch::sim
