// The least mean latency that any schedule of batches, segment by segment, can reach, and that of a given
// policy, computed instead of simulated.
//
// Requests arrive as a Poisson process at one NPU; at the end of a segment each sample of the batch leaves
// independently, with the rate of that exit. The number in the system is then the cost of a semi-Markov
// decision process, whose least average g gives the mean latency g / rate_hz (Little's law).
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "npu_model/batch_policy_table.h"
#include "scheduler/optimum/fbe_table.h"
#include "scheduler/optimum/optimum_error.h"
#include "scheduler/optimum/while_computing.h"

namespace fluidbatch::scheduler {

/// The system whose optimum is asked for. What it points to must outlive it.
struct OptimumProblem {
  const npu::BatchPolicyTable& table;
  std::vector<double>
      exit_rates;      ///< of each early exit: of those that reach it, the share that leaves there
  double rate_hz = 0;  ///< of the arrivals
  int max_batch = 1;   ///< most samples that have been started and have not left
};

/// A mean latency, and how well it is known. Queues are cut at `queue`: who arrives beyond that is forgotten,
/// but for what it costs until the segment ends that runs. Twice that queue would change the mean by less
/// than 1e-5 of it, since half of it did.
struct Optimum {
  double mean_latency_s = 0;
  double lower_s = 0;  ///< bounds of the mean for this queue, at most 1e-6 of it apart
  double upper_s = 0;
  int queue = 0;
  std::size_t states = 0;
  int iterations = 0;  ///< of policy iteration, for this and all shorter queues
};

/// The optimum of schedules that a Fluid Batching Engine can carry out, and the decisions that reach it, for
/// queues of up to half of the optimum's.
struct FbeOptimum {
  Optimum optimum;
  FbeTable table;
};

// All functions below throw std::invalid_argument where a problem makes no sense (a number of exit rates that
// is not that of the early exits, a rate outside 0 .. 1, a segment that takes no time, ..), UnstableLoad and
// OptimumTooLarge.

/// The best of all schedules: whenever no segment runs, any number of the samples that wait before one
/// segment, or of the queue, may run it, in any order of segments; or the NPU waits for the next arrival.
[[nodiscard]] Optimum free_optimum(const OptimumProblem& problem, const WhileComputing& while_computing = {});

/// The best of those with one active and one suspended batch: at the boundary before each segment but the
/// first, the active batch runs on, or, where nobody is suspended, is suspended while newcomers run from the
/// first segment; batches merge where they stand before the same segment. The NPU idles only while nobody is
/// in flight. What the server does with a policy that is asked at segment boundaries.
[[nodiscard]] FbeOptimum fbe_optimum(const OptimumProblem& problem,
                                     const WhileComputing& while_computing = {});

/// What a policy of the same kind as fbe_optimum's does in a state: how many newcomers start, 0 for going on,
/// or, where the NPU is idle, for waiting for the next arrival.
using FbeDecision = std::function<int(const FbeState&)>;

/// The mean latency of the policy `decide`, without simulation. It is asked where the queue is not empty,
/// nobody is suspended and max_batch leaves room. Throws PolicyError where more newcomers start than there
/// are, or than there is room for.
[[nodiscard]] Optimum evaluate_fbe(const OptimumProblem& problem, const FbeDecision& decide);

/// The highest arrival rate, in hertz, below which some schedule is stable: free, or an FBE's. The rate of
/// `problem` doesn't matter.
[[nodiscard]] double free_capacity_hz(const OptimumProblem& problem);
[[nodiscard]] double fbe_capacity_hz(const OptimumProblem& problem);

}  // namespace fluidbatch::scheduler
