// What a scheduling policy sees of the server when it is asked.
#pragma once

#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "npu_model/batch_policy_table.h"
#include "scheduler/request.h"

namespace fluidbatch::scheduler {

/// Samples that run together, and the layer that they run next.
struct Batch {
  static constexpr int kNoExit = std::numeric_limits<int>::max();

  std::vector<RequestId> samples;
  int next_layer = 0;            ///< layers 0 .. next_layer - 1 have run
  int next_exit = kNoExit;       ///< the first that one of them takes: as Request::exit, for an oracle only
  double suspended_since_s = 0;  ///< meaningless while active
};

/// What a policy sees when it is asked: the state after all events of this date have been applied.
struct ServerView {
  double now_s = 0;
  double slo_s = 0;  ///< latency bound, from `slo_start_s` to completion; may be infinite
  const npu::BatchPolicyTable& table;
  const RequestWindow& requests;
  RequestId queue_begin = 0;  ///< the queue is requests queue_begin .. queue_end - 1, oldest first
  RequestId queue_end = 0;
  std::span<const Batch> stack = {};  ///< batches in flight; the last one is active, the others suspended
  bool someone_left = false;          ///< a sample left the active batch, or the one above it, at this date
  bool slo_from_sending = false;      ///< the SLO counts from sending, not from arrival at the server
  double run_begin_s = 0;   ///< since when the active batch has run with the same samples, and from which
  int run_first_layer = 0;  ///< layer on; its dates count from there

  [[nodiscard]] std::size_t queue_size() const { return static_cast<std::size_t>(queue_end - queue_begin); }
  /// Arrival at the server. Precondition: the queue is not empty.
  [[nodiscard]] double oldest_arrival_s() const { return requests[queue_begin].arrival_s; }

  [[nodiscard]] bool idle() const { return stack.empty(); }
  /// Precondition: the NPU is not idle.
  [[nodiscard]] const Batch& active() const { return stack.back(); }
  /// When the active batch will have run all layers before `layer`, if it goes on as it is. Precondition: the
  /// NPU is not idle.
  [[nodiscard]] double date_before(int layer) const {
    return run_begin_s + table.latency_s(run_first_layer, layer, static_cast<int>(active().samples.size()));
  }
  [[nodiscard]] std::size_t in_flight() const {
    std::size_t samples = 0;
    for (const Batch& batch : stack) samples += batch.samples.size();
    return samples;
  }
  /// The date from which the SLO of a request counts. Where that is its sending, requests are not in order of
  /// it.
  [[nodiscard]] double slo_start_s(RequestId id) const {
    return slo_from_sending ? requests[id].sent_s : requests[id].arrival_s;
  }
  [[nodiscard]] double elapsed_s(RequestId id) const { return now_s - slo_start_s(id); }
};

}  // namespace fluidbatch::scheduler
