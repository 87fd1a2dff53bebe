// Lower bounds on latency that no policy can beat on given hardware: what a policy's distance is measured
// from.
#pragma once

#include <cstdint>
#include <span>

#include "npu_model/batch_policy_table.h"
#include "sim/measure/run_watch.h"
#include "workloads/traffic/request_stream.h"

namespace fluidbatch::sim {

/// Mean latencies that no policy can be below; NaN where there are none.
struct LatencyBounds {
  double mean_unloaded_s = 0;     ///< mean of each request's latency on an idle NPU, given its true exit
  double mean_clairvoyant_s = 0;  ///< mean of the relaxed clairvoyant schedule
};

/// Bounds over the requests of `stream` from number `warmup_requests` on; NaN where there are none.
///
/// Unloaded: the layers up to the request's exit, each at its fastest batch size. Clairvoyant: a server that
/// knows all exits gives one request at a time the time that the layer takes per sample at the best batch
/// size, always serves the one with the least time left (preemptive shortest remaining first, which minimises
/// the mean on one server), and never spends time on the warm-up, whose latencies do not count. Any schedule
/// of batches can be carried over to it step by step: a batch of b that runs a layer for L seconds gives each
/// of its samples L / b, at least what the relaxed server needs, and the share of the warm-up is left idle.
/// So no policy that answers all these requests has a lower mean, whatever it does with the warm-up.
///
/// On several NPUs, whose tables are given, every layer is run as by the fastest, and the relaxed server is
/// as many times as fast as there are: each NPU takes no more than its part of it. What runs on them beside
/// `stream` can only make it slower. Throws RunStopped where `watch` (may be null) says so.
LatencyBounds latency_bounds(std::span<const npu::BatchPolicyTable* const> tables,
                             workloads::RequestStream& stream, std::uint64_t warmup_requests,
                             const RunWatch* watch = nullptr);
LatencyBounds latency_bounds(const npu::BatchPolicyTable& table, workloads::RequestStream& stream,
                             std::uint64_t warmup_requests, const RunWatch* watch = nullptr);

}  // namespace fluidbatch::sim
