// What the NPUs of a run take, in the measured window.
#pragma once

#include <cstdint>

#include "npu_model/energy.h"
#include "sim/measure/run_intervals.h"

namespace fluidbatch::npu {
class BatchPolicyTable;
}

namespace fluidbatch::sim {

/// Of a run, or of a part of it. What the steps take is summed up in two ways, so that one can be held
/// against the other.
struct RunEnergy {
  npu::DynamicEnergy dynamic;  ///< layer by layer, by what takes it
  double steps_j = 0;          ///< step by step
  double static_w = 0;         ///< all the time, of all NPUs
  // How many pairs of a service and an NPU it is of: those with energies, those on an NPU that says nothing
  // of them, and those with a measured table.
  std::uint64_t known = 0;
  std::uint64_t silent = 0;
  std::uint64_t measured = 0;

  /// Of one pair before its first step, with all that its NPU takes while it is idle.
  static RunEnergy nothing_of(const npu::BatchPolicyTable& table);

  /// Adds all but `static_w`, of which several services on an NPU have shares.
  void add_dynamic(const RunEnergy& more);

  /// Why there is no energy; Absence::none where it is known for all.
  [[nodiscard]] Absence absence() const;

  /// Dynamic and static, in a window of this length.
  [[nodiscard]] double total_j(double window_s) const { return dynamic.total_j() + static_w * window_s; }

  /// Throws InvariantViolation where total_j is not the sum over the steps with what passes in the window, to
  /// 1e-9 of it. A window that is not defined (NaN) has nothing to hold.
  void require_identity(double window_s) const;
};

}  // namespace fluidbatch::sim
