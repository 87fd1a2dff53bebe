// How near a system is to an answer that comes late.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "npu_model/batch_policy_table.h"
#include "scheduler/slo.h"
#include "sim/core/server_state.h"
#include "sim/core/site_state.h"
#include "sim/tail/course.h"

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
  std::size_t max_batch_;
  Course course_;
};

/// The same of a site: of all its NPUs. Behind the batches in flight come those that are parked, the last one
/// first, and behind them the queues, the batch with the oldest head first. Latencies count times the least
/// SLO over that of their service, so that they are late at the same importance; those of a service that none
/// is late in do not count where there are others.
class SiteImportance {
 public:
  struct ServiceOn {
    const npu::BatchPolicyTable* table = nullptr;
    scheduler::ServerSlo slo;
    double scale = 1;
  };

  /// `services` by NPU and service; tables must outlive it.
  SiteImportance(std::vector<std::vector<ServiceOn>> services, int max_batch);

  /// As Importance::of.
  double of(const SiteState& state);

 private:
  void add(const SiteState& state, std::size_t npu);

  std::vector<std::vector<ServiceOn>> services_;
  std::size_t max_batch_;
  Course course_;
  std::vector<std::span<const scheduler::RequestId>> queues_;  // what is left of them, by service
};

}  // namespace fluidbatch::sim
