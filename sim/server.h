// The serving core: one NPU, its queue and its active batch, as a state machine over exact dates.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "npu_model/batch_policy_table.h"
#include "scheduler/policy.h"
#include "sim/observer.h"
#include "workloads/request_stream.h"

namespace fluidbatch::sim {

/// A latency is late beyond the SLO by more than this, so that exact ties do not hang on rounding.
inline constexpr double kDeadlineTolerance_s = 1e-9;

/// Counts for the conservation of requests, and the two sides of Little's law.
struct Conservation {
  std::uint64_t admitted = 0;
  std::uint64_t completed = 0;
  double time_in_system_s = 0;  ///< integral over time of the number of requests in the system
  double sum_of_latencies_s = 0;
  std::uint64_t in_system_at_last_arrival = 0;  ///< that arrival included
  double last_arrival_s = 0;
  double end_s = 0;  ///< last completion
};

/// A deterministic state machine that knows nothing of what drives it:
///
///     while (server.next_event_s() < infinity) server.advance(server.next_event_s());
///     server.finish();
///
/// A step takes the active batch to the end of the next segment at which a sample leaves. All events of a
/// date are applied in this order: step end (its exits leave), arrivals, timer; then one decision is asked
/// for. Throws InvariantViolation where a policy's decision is not allowed or a conservation law is broken.
class Server {
 public:
  /// All references must outlive the server.
  Server(const npu::BatchPolicyTable& table, double slo_s, scheduler::Policy& policy,
         workloads::RequestStream& stream, Observer& observer);

  /// Date of the next event, never before the last one; infinity when the run is over.
  [[nodiscard]] double next_event_s() const;

  /// Applies all events of `date_s`, which must be next_event_s().
  void advance(double date_s);

  /// Checks, after the last event, that nothing was lost.
  void finish() const;

  [[nodiscard]] const Conservation& conservation() const { return conservation_; }

 private:
  static constexpr double kNever = std::numeric_limits<double>::infinity();

  [[nodiscard]] bool running() const { return !active_.empty(); }
  [[nodiscard]] scheduler::RequestId queue_end() const { return requests_.end(); }

  void read_ahead();
  void admit();
  void admit_before(double date_s);
  void admit_up_to(double date_s);
  void end_step();
  void begin_step(double date_s, int segment);
  void decide(double date_s);
  void start_batch(double date_s, std::size_t samples);
  void leave(scheduler::RequestId id, double date_s);
  void hand_over_completed();
  void elapse(double date_s);

  const npu::BatchPolicyTable& table_;
  double slo_s_;
  scheduler::Policy& policy_;
  workloads::RequestStream& stream_;
  Observer& observer_;

  scheduler::RequestWindow requests_;     // all that are in the system, and completed ones held back
  scheduler::RequestId queue_begin_ = 0;  // queued: queue_begin_ .. requests_.end() - 1
  std::vector<scheduler::RequestId> active_;
  Step step_;                        // of the active batch
  workloads::Arrival next_arrival_;  // date infinity: none left
  double timer_s_ = kNever;
  std::uint64_t in_system_ = 0;
  double now_s_ = 0;  // up to where time_in_system_s has been summed
  Conservation conservation_;
};

}  // namespace fluidbatch::sim
