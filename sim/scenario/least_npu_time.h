// What an NPU can carry: the least time that a request takes of it, over batch sizes.
#pragma once

#include <vector>

#include "npu_model/batch_policy_table.h"

namespace fluidbatch::sim {

/// The least time, and where it is reached.
struct LeastNpuTime {
  double request_s = 0;  ///< expected NPU time of a request; its inverse is what the NPU can carry
  int batch = 1;         ///< the batch size that has it: the smallest one, where several do
};

/// Over batches of each size of `table`, each run to its end while samples leave it at `exit_rates`: for each
/// early exit, of the samples that reach it the share that leaves there.
LeastNpuTime least_npu_time(const npu::BatchPolicyTable& table, const std::vector<double>& exit_rates);

}  // namespace fluidbatch::sim
