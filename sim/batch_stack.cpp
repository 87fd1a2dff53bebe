#include "sim/batch_stack.h"

#include <utility>

#include "sim/invariant.h"

namespace fluidbatch::sim {

using scheduler::Batch;
using scheduler::RequestId;

FbeRegisters BatchStack::registers() const {
  FbeRegisters registers;
  if (batches_.empty()) return registers;
  registers.b_act = static_cast<int>(active().samples.size());
  registers.l = active().next_layer;
  if (batches_.size() > 1) {
    const Batch& suspended = batches_[batches_.size() - 2];
    registers.b_old = static_cast<int>(suspended.samples.size());
    registers.l_old = suspended.next_layer;
  }
  return registers;
}

void BatchStack::push(RequestId first, int b_incr, double date_s) {
  const bool joins = !batches_.empty() && active().next_layer == 0;
  if (!joins) {
    if (!batches_.empty()) batches_.back().suspended_since_s = date_s;
    batches_.emplace_back();
    if (!spare_.empty()) {
      batches_.back().samples = std::move(spare_.back());
      spare_.pop_back();
    }
  }
  for (int i = 0; i < b_incr; ++i) {
    requests_[first].start_s = date_s;
    batches_.back().samples.push_back(first++);
  }
}

void BatchStack::advance_to(int layer) {
  Batch& batch = batches_.back();
  for (const RequestId id : batch.samples) {
    require_invariant(requests_[id].next_layer == batch.next_layer,
                      "a sample runs every layer once, in order");
    requests_[id].next_layer = layer;
  }
  batch.next_layer = layer;
}

std::span<const RequestId> BatchStack::leave(int exit, double date_s) {
  std::vector<RequestId>& samples = batches_.back().samples;
  left_.clear();
  std::size_t stay = 0;  // those who stay keep their order
  for (const RequestId id : samples) {
    if (requests_[id].exit == exit) {
      left_.push_back(id);
    } else {
      samples[stay++] = id;
    }
  }
  samples.resize(stay);
  if (samples.empty()) {
    pop();
    if (!batches_.empty()) resume(batches_.back(), date_s);
  }
  return left_;
}

/// Takes the active batch off; its vector is kept for another batch, since allocating one each time would
/// cost more than all the rest.
void BatchStack::pop() {
  batches_.back().samples.clear();
  spare_.push_back(std::move(batches_.back().samples));
  batches_.pop_back();
}

bool BatchStack::merge(double date_s) {
  if (batches_.size() < 2) return false;
  Batch& suspended = batches_[batches_.size() - 2];
  require_invariant(active().next_layer <= suspended.next_layer,
                    "newcomers do not overtake the batch that waits");
  if (active().next_layer != suspended.next_layer) return false;
  resume(suspended, date_s);
  suspended.samples.insert(suspended.samples.end(), active().samples.begin(), active().samples.end());
  pop();
  return true;
}

void BatchStack::resume(Batch& batch, double date_s) {
  for (const RequestId id : batch.samples) requests_[id].suspended_s += date_s - batch.suspended_since_s;
}

}  // namespace fluidbatch::sim
