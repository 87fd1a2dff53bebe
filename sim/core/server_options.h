// What a server is told of the system besides its policy and its NPU.
#pragma once

#include <cstddef>
#include <string>

#include "scheduler/exit_control.h"
#include "scheduler/policy.h"
#include "scheduler/slo.h"
#include "sim/core/look_ahead.h"
#include "workloads/traffic/recorded_confidences.h"

namespace fluidbatch::sim {

/// What a server needs to know of its system, besides the policy itself.
struct ServerOptions {
  std::string policy = {};  ///< its name, for messages
  scheduler::PolicyTraits traits = {};
  scheduler::ServerSlo slo = {};
  /// Drop a queued request that could not meet its deadline any more, were it run alone at once (all layers,
  /// exits ignored), when it is the oldest in the queue and a decision is due.
  bool drop_hopeless = false;
  double preemption_cost_s = 0;  ///< time before the first layer of the newcomers of each preemption
  /// Ask a copy of the policy at every boundary that it has said it need not be asked at, and end the run
  /// with a PolicyError where it answers otherwise than it has said.
  bool audit = false;
  /// Requests that are read at a time where they can be foretold. What has been read stays as it is when
  /// streams are split: 1 where that matters.
  std::size_t read_ahead = LookAhead::kMost;
};

/// Where the exits of a system's requests come from. What is pointed to must outlive the server.
struct ExitSource {
  /// Decides at run time; nullptr: every request takes the exit that it has been sent with.
  scheduler::ExitControl* control = nullptr;
  /// Of which the requests are samples; nullptr where there are none. Confidences are then 0 before the exit
  /// that a request has been sent with, and 1 from it on.
  const workloads::RecordedConfidences* confidences = nullptr;
};

}  // namespace fluidbatch::sim
