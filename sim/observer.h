// What the serving core tells of a run while it goes on.
#pragma once

#include "scheduler/policy.h"
#include "scheduler/request.h"

namespace fluidbatch::sim {

/// One step of the NPU: a batch through layers first_layer .. end_layer - 1, at whose inner boundaries nobody
/// left, nothing merged and no decision was asked for.
struct Step {
  double begin_s = 0;
  double end_s = 0;
  int first_layer = 0;
  int end_layer = 0;
  int batch = 0;
};

/// Contract: calls come in order of date; `completed` comes in order of request number (a request that
/// overtakes another is held back until the other has completed). Observers never change a run.
class Observer {
 public:
  Observer() = default;
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;
  virtual ~Observer() = default;

  virtual void admitted(scheduler::RequestId id, const scheduler::Request& request) = 0;
  /// Samples have been taken from the queue: as a batch on an idle NPU, or by a preemption.
  virtual void started(double date_s, int samples, bool preempting) = 0;
  virtual void stepped(const Step& step) = 0;
  /// The active batch has caught up with the suspended one.
  virtual void merged(double date_s) = 0;
  /// A policy that could have preempted has not.
  virtual void refused(double date_s, scheduler::Decision::Refusal refusal) = 0;
  virtual void completed(scheduler::RequestId id, const scheduler::Request& request) = 0;
};

}  // namespace fluidbatch::sim
