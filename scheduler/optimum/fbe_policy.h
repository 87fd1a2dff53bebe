// The policy of a Fluid Batching Engine whose control block holds a table of decisions.
#pragma once

#include <memory>
#include <vector>

#include "scheduler/optimum/fbe_table.h"
#include "scheduler/policy.h"

namespace fluidbatch::scheduler {

/// Acts by `table`, which clones share: an idle NPU starts as many as it says, or waits for the next arrival;
/// at the boundary of a segment, where nobody is suspended, as many newcomers preempt. Queues longer than the
/// table's are taken for its longest, and in states that it does not have the active batch goes on.
std::unique_ptr<Policy> make_fbe_policy(std::shared_ptr<const FbeTable> table);

/// The same, but for preemptions by which an active request that would be in time is expected to be late:
/// `exit_aware`'s test of deadlines, with the rates at which those who reach the early exits leave there.
std::unique_ptr<Policy> make_guarded_fbe_policy(std::shared_ptr<const FbeTable> table,
                                                const std::vector<double>& exit_rates);

}  // namespace fluidbatch::scheduler
