// What becomes of those in the system if nobody else comes.
#pragma once

#include <span>
#include <vector>

#include "npu_model/batch_policy_table.h"
#include "scheduler/request.h"
#include "scheduler/slo.h"
#include "scheduler/view.h"

namespace fluidbatch::sim {

/// Batches one after another on an NPU, each sample leaving by its own exit, which the simulator knows; and
/// the largest latency of all who have left.
class Course {
 public:
  /// For networks of at most so many segments.
  explicit Course(int segments) : leaving_(static_cast<std::size_t>(segments)) {}

  /// The NPU is free from this date on.
  void begin(double date_s) { date_s_ = date_s; }
  void wait_until(double date_s);
  /// What runs next is of a service with these latencies on the NPU, whose own count as those of `slo` do,
  /// times `scale`. `table` must outlive it.
  void turn_to(const npu::BatchPolicyTable& table, const scheduler::ServerSlo& slo, double scale = 1);
  /// The batches in flight run to their ends, the last one first; each is joined by those that catch up with
  /// it.
  void run_stack(const scheduler::RequestWindow& requests, std::span<const scheduler::Batch> batches);
  /// A batch from the queue.
  void run_batch(const scheduler::RequestWindow& requests, std::span<const scheduler::RequestId> ids);

  /// Since the last call.
  double take_largest_s();

 private:
  void add(const scheduler::RequestWindow& requests, std::span<const scheduler::RequestId> ids,
           int next_layer);
  void run(int first_layer, int end_layer);

  const npu::BatchPolicyTable* table_ = nullptr;
  scheduler::ServerSlo slo_;
  double scale_ = 1;

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
