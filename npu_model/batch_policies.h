// Which batch policies the engine may choose from, and the choice.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "npu_model/cost.h"

namespace fluidbatch::npu {

/// What an engine can do with a batch; each is a row in every comparison.
enum class Mode {
  r,              ///< R-batching only: B_P = 1, k = 1
  p,              ///< P-batching: k = 1, the largest feasible B_P
  fluid,          ///< the best feasible <B_R, B_P> with k = 1
  r_stacked,      ///< R-batching on stackable PEs: the best k with B_P = 1
  fluid_stacked,  ///< the best feasible <B_R, B_P, k>
};

std::string_view name_of(Mode mode);

/// All modes, in the order in which they are shown.
std::span<const Mode> all_modes();

/// The policies that `mode` chooses from for `batch` samples, feasible or not, by k, then by B_P, then by
/// residency: k over 1, 2, 4 .. k_max, each B_P that leaves no block empty, and the NPU's residency or, with
/// auto, all that go with B_P.
std::vector<BatchPolicy> candidates(Mode mode, const Npu& npu, int batch);

/// A batch policy, and the latency that it gives.
struct Choice {
  BatchPolicy policy;
  double latency_cycles = 0;
};

/// The feasible candidate of least latency; ties go to the smaller k, then to the smaller B_P, then to the
/// earlier residency. Mode p takes the fastest of those with the largest feasible B_P. Where none is feasible
/// the latency is infinite; streaming with im2col always is, at B_P = 1.
Choice choose(Mode mode, std::span<const BatchPolicy> candidates, const Layer& layer, const Npu& npu,
              int batch);

}  // namespace fluidbatch::npu
