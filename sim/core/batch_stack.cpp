#include "sim/core/batch_stack.h"

#include <algorithm>

#include "sim/core/invariant.h"

namespace fluidbatch::sim {

using scheduler::Batch;
using scheduler::RequestId;
using scheduler::RequestWindow;

bool BatchStack::merge_uppermost(RequestWindow& requests, double date_s) {
  const Batch& newcomers = top();
  Batch& suspended = batches_[depth_ - 2];
  require_invariant(newcomers.next_layer <= suspended.next_layer,
                    "newcomers do not overtake the batch that waits");
  if (newcomers.next_layer != suspended.next_layer) return false;
  resume(requests, suspended, date_s);
  suspended.samples.insert(suspended.samples.end(), newcomers.samples.begin(), newcomers.samples.end());
  next_exit_ = std::min(next_exit_, next_exits_below_[depth_ - 2]);
  --depth_;
  return true;
}

void BatchStack::resume(RequestWindow& requests, const Batch& batch, double date_s) {
  for (const RequestId id : batch.samples) requests[id].suspended_s += date_s - batch.suspended_since_s;
}

}  // namespace fluidbatch::sim
