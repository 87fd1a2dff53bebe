// Values that are legal and yet outside of what any NPU has: perhaps a unit was taken for another.
#pragma once

#include <string>
#include <vector>

#include "sim/config/npu_choice.h"

namespace fluidbatch::sim {

/// One text for each such value: of the clock and bandwidths of a modelled NPU, or of the latencies in
/// `table` where that was measured.
std::vector<std::string> unusual_values(const NpuChoice& choice, const npu::BatchPolicyTable& table);

/// The same for a modelled NPU.
std::vector<std::string> unusual_values(const npu::Npu& npu);

/// Adds these texts of an NPU to `warnings`, with its place `mark`; each of them once, however many have that
/// NPU.
void warn_of(const NpuChoice& choice, const npu::BatchPolicyTable& table, const io::Mark& mark,
             std::vector<std::string>& warnings);

}  // namespace fluidbatch::sim
