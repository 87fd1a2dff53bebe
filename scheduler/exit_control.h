// The interface between the server and what decides, at run time, at which exits samples leave.
#pragma once

#include <cstddef>
#include <limits>
#include <memory>

#include "npu_model/batch_policy_table.h"
#include "scheduler/slo.h"

namespace fluidbatch::scheduler {

/// A batch has come to the end of a segment, and nobody has left it yet.
struct ExitView {
  double now_s = 0;
  int exit = 0;            ///< the early exit at the end of that segment
  std::size_t batch = 0;   ///< samples in the batch
  std::size_t queued = 0;  ///< requests in the queue, without those that arrive at this very date
  ServerSlo slo;
  const npu::BatchPolicyTable& table;
};

/// Who leaves at an early exit.
struct ExitRule {
  double threshold = 1;  ///< samples of at least this confidence
  /// Those too who would be late after one more segment, at the latency that it has for the batch before
  /// anybody leaves.
  bool by_deadline = false;
  /// The batch has one exit, whatever its samples' confidences: where `by_deadline` lets one leave, all
  /// leave, and otherwise nobody does.
  bool together = false;

  bool operator==(const ExitRule&) const = default;
};

/// A sample has left the NPU.
struct ExitTaken {
  int exit = 0;           ///< the last one of the network included
  double confidence = 0;  ///< at that exit
};

/// An exit control: decides at run time, where otherwise each sample's exit is drawn when it is sent.
///
/// Contract: `rule` is called once at the end of a segment that is not the last one, before anybody leaves,
/// and then `taken` once for each sample that leaves, in order of place in the batch; at the end of the last
/// segment `rule` is called for the last early exit, where there is one, for what the threshold is by then.
/// A control must be a pure function of these calls, so that runs can be repeated.
class ExitControl {
 public:
  ExitControl() = default;
  ExitControl& operator=(const ExitControl&) = delete;
  virtual ~ExitControl() = default;

  /// Who of the batch leaves at this exit.
  [[nodiscard]] virtual ExitRule rule(const ExitView& view) const = 0;
  /// A sample has left: what a control that learns looks at.
  virtual void taken(const ExitTaken& /*exit*/) {}

  /// A control in the same state, which goes its own way from here.
  [[nodiscard]] virtual std::unique_ptr<ExitControl> clone() const = 0;

 protected:
  ExitControl(const ExitControl&) = default;
};

/// What must be known of an exit control before it is made.
struct ExitControlTraits {
  bool needs_confidences = false;  ///< it means nothing where exits don't come from recorded confidences
  /// The accuracy that it steers to; NaN: none. Where it has one, the even rows of the recorded samples
  /// calibrate, and the odd ones are served.
  double accuracy_target = std::numeric_limits<double>::quiet_NaN();
};

}  // namespace fluidbatch::scheduler
