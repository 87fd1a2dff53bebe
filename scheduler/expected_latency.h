// Latencies of batch sizes that are expectations, hence not whole.
#pragma once

#include <cmath>

#include "npu_model/batch_policy_table.h"

namespace fluidbatch::scheduler {

/// Seconds that layers first .. last - 1 take for `count` samples, at most the table's largest batch: linear
/// between whole batch sizes, and from 0 at no sample to one sample's.
inline double expected_latency_s(const npu::BatchPolicyTable& table, int first, int last, double count) {
  const auto at = [&](int batch) { return table.latency_s(first, last, batch); };
  if (count < 1) return count * at(1);
  const double whole = std::floor(count);
  const int below = static_cast<int>(whole);
  if (count == whole) return at(below);
  return at(below) + (count - whole) * (at(below + 1) - at(below));
}

}  // namespace fluidbatch::scheduler
