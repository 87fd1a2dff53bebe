// How near a server is to an answer that comes late.
#pragma once

#include <span>
#include <vector>

#include "npu_model/batch_policy_table.h"
#include "scheduler/slo.h"
#include "sim/core/server_state.h"

namespace fluidbatch::sim {

/// The importance function of splitting: the largest latency that is predicted for anybody in the system, its
/// age plus the time until it leaves. The batches in flight run to their ends, each suspended one joined by
/// those that catch up with it, and the queue runs behind them in batches of the policy's largest size; every
/// sample leaves by its own exit, which the simulator knows. Without newcomers that is what happens under
/// greedy batching. It steers where work goes and has no influence on what is estimated.
class Importance {
 public:
  /// `table` must outlive it. Latencies count as those of `slo` do.
  Importance(const npu::BatchPolicyTable& table, const scheduler::ServerSlo& slo, int max_batch);

  /// In seconds, at the last event of `state`; 0 where nobody is in the system.
  double of(const ServerState& state);

 private:
  void add(const scheduler::RequestWindow& requests, std::span<const scheduler::RequestId> ids,
           int next_layer);
  void run(int first_layer, int end_layer);

  const npu::BatchPolicyTable& table_;
  scheduler::ServerSlo slo_;
  std::size_t max_batch_;

  /// Samples that leave by one exit.
  struct Leaving {
    int samples = 0;
    double oldest_s = 0;  ///< from which the latency of the oldest one counts
  };
  std::vector<Leaving> leaving_;  // of the batch that runs, by exit
  int samples_ = 0;               // of it
  double date_s_ = 0;             // up to which it has run
  double largest_s_ = 0;
};

}  // namespace fluidbatch::sim
