// What the serving core tells of a run while it goes on.
#pragma once

#include "scheduler/request.h"

namespace fluidbatch::sim {

/// One step of the NPU: a batch through one segment, or through several at whose ends nobody leaves and the
/// policy asked for no decision.
struct Step {
  double begin_s = 0;
  double end_s = 0;
  int first_segment = 0;
  int last_segment = 0;
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
  virtual void started(double date_s, int batch) = 0;
  virtual void stepped(const Step& step) = 0;
  virtual void completed(scheduler::RequestId id, const scheduler::Request& request) = 0;
};

}  // namespace fluidbatch::sim
