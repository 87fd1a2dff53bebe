#include "sim/batch_stack.h"

#include "sim/invariant.h"

namespace fluidbatch::sim {

using scheduler::Batch;
using scheduler::RequestId;

FbeRegisters BatchStack::registers() const {
  FbeRegisters registers;
  if (empty()) return registers;
  registers.b_act = static_cast<int>(active().samples.size());
  registers.l = active().next_layer;
  if (depth_ > 1) {
    const Batch& suspended = batches_[depth_ - 2];
    registers.b_old = static_cast<int>(suspended.samples.size());
    registers.l_old = suspended.next_layer;
  }
  return registers;
}

void BatchStack::push(RequestId first, int b_incr, double date_s) {
  const bool joins = !empty() && active().next_layer == 0;
  if (!joins) {
    if (!empty()) top().suspended_since_s = date_s;
    if (depth_ == batches_.size()) batches_.emplace_back();
    ++depth_;
    top().samples.clear();
    top().next_layer = 0;
  }
  std::vector<RequestId>& samples = top().samples;
  for (int i = 0; i < b_incr; ++i) {
    requests_[first].start_s = date_s;
    samples.push_back(first++);
  }
}

void BatchStack::advance_to(int layer) {
  Batch& batch = top();
  for (const RequestId id : batch.samples) {
    scheduler::Request& request = requests_[id];
    require_invariant(request.next_layer == batch.next_layer, "a sample runs every layer once, in order");
    request.next_layer = layer;
  }
  batch.next_layer = layer;
}

bool BatchStack::merge(double date_s) {
  if (depth_ < 2) return false;
  Batch& newcomers = top();
  Batch& suspended = batches_[depth_ - 2];
  require_invariant(newcomers.next_layer <= suspended.next_layer,
                    "newcomers do not overtake the batch that waits");
  if (newcomers.next_layer != suspended.next_layer) return false;
  resume(suspended, date_s);
  suspended.samples.insert(suspended.samples.end(), newcomers.samples.begin(), newcomers.samples.end());
  --depth_;
  return true;
}

void BatchStack::resume(Batch& batch, double date_s) {
  for (const RequestId id : batch.samples) requests_[id].suspended_s += date_s - batch.suspended_since_s;
}

}  // namespace fluidbatch::sim
