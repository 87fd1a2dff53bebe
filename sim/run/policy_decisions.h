// What a system's policy would do in each state of a Fluid Batching Engine.
#pragma once

#include "scheduler/optimum/fbe_table.h"

namespace fluidbatch::sim {

struct Scenario;
struct System;

/// Asks the policy of `system` in every state with nobody suspended and a queue of up to `longest_queue`, all
/// of whose requests have just come, under a bound that is never missed. What it means for a policy that
/// remembers, or waits for a date, is only what it says to these questions; waiting counts as no newcomers.
scheduler::FbeTable policy_decisions(const Scenario& scenario, const System& system, int longest_queue);

}  // namespace fluidbatch::sim
