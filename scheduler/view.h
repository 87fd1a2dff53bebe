// What a scheduling policy sees of the server when it is asked.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "npu_model/batch_policy_table.h"
#include "scheduler/policy_error.h"
#include "scheduler/request.h"
#include "scheduler/slo.h"

namespace fluidbatch::scheduler {

/// Samples that run together, and the layer that they run next.
struct Batch {
  std::vector<RequestId> samples;
  int next_layer = 0;            ///< layers 0 .. next_layer - 1 have run
  double suspended_since_s = 0;  ///< meaningless while active
};

/// What a server knows of a request: all but the exit that it will take.
struct KnownRequest {
  double arrival_s;  ///< at the server
  double sent_s;     ///< by its device; arrival_s where there is no uplink
  double start_s;    ///< its first step began; meaningless while queued
  std::uint32_t device;
};

/// The requests in the system, by number, as far as a server knows them.
class KnownRequests {
 public:
  /// `requests` must outlive this.
  explicit KnownRequests(const RequestWindow& requests) : requests_(&requests) {}

  [[nodiscard]] KnownRequest operator[](RequestId id) const {
    const Request& request = (*requests_)[id];
    return {.arrival_s = request.arrival_s,
            .sent_s = request.sent_s,
            .start_s = request.start_s,
            .device = request.device};
  }

 private:
  const RequestWindow* requests_;
};

/// What no server knows: the exit that each request will take. For policies that are meant to be impossible,
/// and say so (PolicyTraits::oracle).
class ExitOracle {
 public:
  /// One that knows nothing.
  ExitOracle() = default;
  /// `requests` must outlive this.
  explicit ExitOracle(const RequestWindow& requests) : requests_(&requests) {}

  /// Throws PolicyError where the policy has not declared itself an oracle.
  [[nodiscard]] int exit_of(RequestId id) const {
    if (requests_ == nullptr) {
      throw PolicyError("it asked for the exit of request " + std::to_string(id) +
                        ", but has not declared itself an oracle (PolicyTraits::oracle)");
    }
    return (*requests_)[id].exit;
  }

 private:
  const RequestWindow* requests_ = nullptr;
};

/// The state after all events of a date have been applied, made for one question: nothing in it is good after
/// the answer.
struct ServerView {
  double now_s = 0;
  ServerSlo slo;
  const npu::BatchPolicyTable& table;
  KnownRequests requests;
  std::span<const RequestId> queue = {};  ///< oldest first
  std::span<const Batch> stack = {};      ///< batches in flight; the last one is active, the others suspended
  bool someone_left = false;  ///< a sample left the active batch, or the one above it, at this date
  double run_begin_s = 0;     ///< since when the active batch has run with the same samples, and from which
  int run_first_layer = 0;    ///< layer on; its dates count from there
  ExitOracle oracle = {};     ///< knows nothing, but for a policy that has declared itself one

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
  /// The date from which the SLO of a request counts.
  [[nodiscard]] double slo_start_s(RequestId id) const { return slo.start_s(requests[id]); }
  /// What of its SLO a request has used up.
  [[nodiscard]] double elapsed_s(RequestId id) const { return now_s - slo_start_s(id); }
};

}  // namespace fluidbatch::scheduler
