// Whether policies and exit controls are what they must be: the same answer to the same question, and answers
// that hold for as long as they have said.
#pragma once

#include "scheduler/exit_control.h"
#include "scheduler/policy.h"
#include "sim/core/decision_text.h"
#include "sim/core/lane_state.h"

namespace fluidbatch::sim {

/// The policy's answer, after a clone of it has given the same. Throws scheduler::PolicyError where it has
/// not.
scheduler::Decision audited_answer(scheduler::Policy& policy, const scheduler::ServerView& view);

/// Throws scheduler::PolicyError where a clone of `control` gives another rule than it has given.
void audit_rule(const scheduler::ExitControl& control, const scheduler::ExitView& view,
                const scheduler::ExitRule& rule);

/// A step has ended, and all who arrived before its end are in the queue: asks a clone of the policy at every
/// boundary that the step has passed over because of what the policy had said, as the server was then. Throws
/// scheduler::PolicyError where it would not have gone on, with the same reason. `view`: at the step's end,
/// before its exits; `place`: likewise.
void audit_passed_over(const scheduler::Policy& policy, const scheduler::ServerView& view,
                       const LaneState& state, scheduler::Boundary boundary, const DecisionPlace& place);

}  // namespace fluidbatch::sim
