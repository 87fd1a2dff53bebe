// The semi-Markov decision processes of an NPU that serves a Poisson stream segment by segment, as plain
// tables.
#pragma once

#include <cstddef>
#include <cstdint>
#include <tuple>
#include <utility>
#include <vector>

#include "npu_model/batch_policy_table.h"
#include "scheduler/optimum/while_computing.h"

namespace fluidbatch::scheduler::smdp {

/// How many requests arrive while a batch runs through a segment. Time is in units of the mean time between
/// two arrivals, so the mean number is the duration.
struct Run {
  double duration = 0;
  int least = 0;                      ///< arrivals that the first probability is of
  std::vector<double> probabilities;  ///< of least, least + 1, .. arrivals; they add up to 1

  [[nodiscard]] int most() const { return least + static_cast<int>(probabilities.size()) - 1; }
};

/// Arrivals, Poisson, in `duration` > 0. Both tails are cut where a term is below 1e-18 of the largest.
Run run_of(double duration);

/// Probabilities of 0 .. samples survivors of `samples`, each of which leaves with probability `exit_rate`.
std::vector<double> survivors(int samples, double exit_rate);

/// A configuration that an action may lead to.
struct Successor {
  std::uint32_t configuration;
  double probability;
};

/// A batch run through a segment, or, with `batch` 0, idling until the next request arrives.
struct Action {
  int segment = 0;
  int batch = 0;
  int taken = 0;  ///< samples of the batch that come from the queue
  std::uint32_t first_successor = 0;
  std::uint32_t successors = 0;  ///< at the end of the run; none for idling, which changes the queue alone
};

/// Where the samples in flight are, at an instant at which no segment runs.
struct Configuration {
  int in_flight = 0;
  std::uint32_t first_action = 0;
  std::uint32_t actions = 0;
};

/// A state is a configuration and the number of requests in the queue. Nothing is in flight in
/// configuration 0; configurations are in order of the segments that remain to be run, so that a run without
/// newcomers leads to one before its own.
struct DecisionProcess {
  std::vector<Run> runs;  ///< by segment, then batch
  int max_batch = 1;      ///< most samples in flight
  std::vector<Configuration> configurations;
  std::vector<Action> actions;
  std::vector<Successor> successors;

  /// What the action runs.
  [[nodiscard]] const Run& run(const Action& action) const {
    return runs[static_cast<std::size_t>(action.segment * max_batch + action.batch - 1)];
  }
  /// The action of that number, from 0, in a configuration.
  [[nodiscard]] const Action& action(std::size_t configuration, std::size_t number) const {
    return actions[configurations[configuration].first_action + number];
  }
};

/// What of a system the processes are made of.
struct Rates {
  const npu::BatchPolicyTable& table;
  std::vector<double> exit_rates;  ///< of each early exit, up to one at which all leave; below 1
  double rate_hz = 0;
  int max_batch = 1;

  /// Those that somebody runs. Nobody ever waits before another one, so that a policy could leave it for
  /// ever: the processes have one recurrent class.
  [[nodiscard]] int segments() const { return static_cast<int>(exit_rates.size()) + 1; }
  /// Share of those that run `segment` who leave at its end.
  [[nodiscard]] double exit_rate(int segment) const {
    return segment + 1 == segments() ? 1 : exit_rates[static_cast<std::size_t>(segment)];
  }
};

/// A configuration of the Fluid Batching Engine's registers. Segments are those that are run next.
struct FbeConfiguration {
  int active = 0;  ///< samples; 0: the NPU is idle
  int segment = 0;
  int suspended = 0;  ///< samples; 0: none
  int suspended_segment = 0;

  friend bool operator<(const FbeConfiguration& a, const FbeConfiguration& b) {
    return std::tie(a.active, a.segment, a.suspended, a.suspended_segment) <
           std::tie(b.active, b.segment, b.suspended, b.suspended_segment);
  }
};

/// A process and what its configurations are.
struct FbeProcess {
  DecisionProcess process;
  std::vector<FbeConfiguration> meaning;  ///< of each configuration
};

/// At a boundary: go on (or, idle, wait for the next arrival), or run newcomers from segment 0; the active
/// batch is suspended meanwhile, which it can be where nobody is. In each configuration the first action is
/// to go on or wait; that with n newcomers is number n.
FbeProcess fbe_process(const Rates& rates, const WhileComputing& while_computing = {});

/// At a boundary: run any number of those who wait before a segment, or of the queue, or wait for the next
/// arrival. The last action of a configuration is to wait.
DecisionProcess free_process(const Rates& rates, const WhileComputing& while_computing = {});

/// Bytes, roughly and rather too many, of the processes' tables, known without making them.
double fbe_process_bytes(int segments, int max_batch);
double free_process_bytes(int segments, int max_batch);
double fbe_configurations(int segments, int max_batch);
double free_configurations(int segments, int max_batch);

}  // namespace fluidbatch::scheduler::smdp
