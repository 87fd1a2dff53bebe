// How long a run is, and how much of it is warm-up, from its configuration.
#pragma once

#include "sim/scenario/scenario.h"
#include "workloads/io/map_reader.h"

namespace fluidbatch::sim {

/// Reads the keys `requests`, `duration_s` or `until` with `max_requests`, and `warmup_requests`, into
/// `scenario`, and resolves them. Throws InputError.
void read_run_length(io::MapReader& run, Scenario& scenario);

/// Refuses precisions that a run with this SLO can't reach. Throws InputError at their place.
void check_precisions(const io::MapReader& run, const Scenario& scenario);

}  // namespace fluidbatch::sim
