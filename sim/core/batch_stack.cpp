#include "sim/core/batch_stack.h"

#include <algorithm>

#include "sim/core/invariant.h"

namespace fluidbatch::sim {

using scheduler::Batch;
using scheduler::RequestId;

FbeRegisters BatchStack::registers() const {
  FbeRegisters registers;
  if (empty()) return registers;
  registers.b_act = static_cast<int>(active().samples.size());
  registers.l = active().next_layer;
  if (suspended() != nullptr) {
    registers.b_old = static_cast<int>(suspended()->samples.size());
    registers.l_old = suspended()->next_layer;
  }
  return registers;
}

bool BatchStack::merge_uppermost(double date_s) {
  Batch& newcomers = top();
  Batch& suspended = end_[-2];
  require_invariant(newcomers.next_layer <= suspended.next_layer,
                    "newcomers do not overtake the batch that waits");
  if (newcomers.next_layer != suspended.next_layer) return false;
  resume(suspended, date_s);
  suspended.samples.insert(suspended.samples.end(), newcomers.samples.begin(), newcomers.samples.end());
  suspended.next_exit = std::min(suspended.next_exit, newcomers.next_exit);
  --end_;
  return true;
}

void BatchStack::resume(Batch& batch, double date_s) {
  for (const RequestId id : batch.samples) requests_[id].suspended_s += date_s - batch.suspended_since_s;
}

}  // namespace fluidbatch::sim
