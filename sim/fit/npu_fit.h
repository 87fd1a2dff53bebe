// Fits parameters of an NPU to measured latencies of layers.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "npu_model/batch_policies.h"
#include "npu_model/poll.h"
#include "sim/fit/npu_key.h"

namespace fluidbatch::sim {

enum class LatencyUnit { cycles, seconds };

/// A layer as it was measured, on an NPU that may differ from row to row in what is not free.
struct MeasuredLayer {
  npu::Layer layer;
  int batch = 1;
  double measured = 0;  ///< above 0
  npu::Npu npu;
};

/// What the model says of a measured layer.
struct Prediction {
  double modelled = 0;  ///< in the unit of the measurement; infinite where nothing is feasible
  npu::Bound bound = npu::Bound::compute;
  npu::Residency residency = npu::Residency::stream;
};

Prediction predict(const MeasuredLayer& row, npu::Mode mode, LatencyUnit unit);

/// Batch policies that the model compares for all of `rows` together: the work of one look at a fit.
std::int64_t candidates_of(std::span<const MeasuredLayer> rows, npu::Mode mode);

struct FitSettings {
  std::vector<const NpuKey*> free;  ///< at least one, each once
  npu::Mode mode = npu::Mode::fluid_stacked;
  LatencyUnit unit = LatencyUnit::cycles;
  std::optional<npu::Board> board;  ///< which every NPU must fit
};

struct Fit {
  std::vector<double> values;  ///< of the free keys: whole numbers, or of six significant digits
  double rms_log_error = 0;    ///< root of the mean square of log(modelled / measured)
  double rms_log_error_at_start = 0;
  /// For each free key, whether the fit has a say in it: another value of it gives another error.
  std::vector<bool> matters;
  std::vector<bool> at_limit;  ///< for each free key, whether the best value is the last one allowed
};

/// Whether a fit may start at `value`: in the key's range and, where it is not whole, far enough from the
/// ends of what a double holds.
bool may_start(const NpuKey& key, double value);

/// The values of the free keys with the least squares of log(modelled / measured), from those in `rows` and
/// from a grid over several decades around them, so that a local minimum is not taken for the best. The same
/// rows give the same values.
/// Preconditions: all NPUs are valid and have the same values of the free keys, which `may_start`, and
/// each row has a feasible policy, of more than 0 cycles.
Fit fit_npu(std::vector<MeasuredLayer> rows, const FitSettings& settings, const npu::Poll& poll = {});

}  // namespace fluidbatch::sim
