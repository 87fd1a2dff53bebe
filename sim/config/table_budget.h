// How many latencies one configuration may have computed.
#pragma once

#include <cstdint>
#include <set>

#include "npu_model/batch_policy_table.h"
#include "workloads/io/input_error.h"

namespace fluidbatch::sim {

/// Counts the entries (layers x batch sizes) of tables: each network on each NPU in each mode has one, so
/// that a short list of each can ask for more than a machine has memory and patience for.
class TableBudget {
 public:
  /// Counts `table`, once however often it comes. Throws InputError at `mark` where all take more than
  /// about half a gigabyte.
  void add(const npu::BatchPolicyTable& table, const io::Mark& mark);

 private:
  std::set<const npu::BatchPolicyTable*> counted_;
  std::int64_t entries_ = 0;
};

}  // namespace fluidbatch::sim
