#include "sim/measure/run_energy.h"

#include <algorithm>
#include <cmath>

#include "npu_model/batch_policy_table.h"
#include "sim/core/invariant.h"

namespace fluidbatch::sim {

RunEnergy RunEnergy::nothing_of(const npu::BatchPolicyTable& table) {
  RunEnergy energy;
  if (const npu::OperationEnergies* energies = table.energies()) {
    energy.static_w = energies->static_w;
    energy.known = 1;
  } else {
    (table.npu() == nullptr ? energy.measured : energy.silent) = 1;
  }
  return energy;
}

void RunEnergy::add_dynamic(const RunEnergy& more) {
  dynamic.add(more.dynamic, 1);
  steps_j += more.steps_j;
  known += more.known;
  silent += more.silent;
  measured += more.measured;
}

Absence RunEnergy::absence() const {
  if (known == 0) return measured > 0 && silent == 0 ? Absence::measured_table : Absence::no_energies;
  return silent + measured > 0 ? Absence::some_energies : Absence::none;
}

void RunEnergy::require_identity(double window_s) const {
  if (std::isnan(window_s)) return;
  constexpr double kRelative = 1e-9;
  const double by_layers_j = total_j(window_s);
  const double by_steps_j = steps_j + static_w * window_s;
  require_invariant(std::abs(by_layers_j - by_steps_j) <= kRelative * std::max(by_layers_j, by_steps_j),
                    "energy in the measured window = sum over the steps + static power times its length");
}

}  // namespace fluidbatch::sim
