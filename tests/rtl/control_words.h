// From a layer and its batch policy to what the engine reads, as docs/rtl.md has it; and what the engine has
// room for.
#pragma once

#include "npu_model/cost.h"
#include "tests/rtl/engine.h"

namespace fluidbatch::rtl {

/// A layer for `batch` samples under `policy`, on an engine as the closed form sees it.
struct Case {
  npu::Npu npu;
  npu::Layer layer;
  int batch = 1;
  npu::BatchPolicy policy;
};

/// An engine of this size without a limit of bandwidth, all its other fields as by default but for
/// `row_weights`: the RTL keeps no weights from one row block to the next; and it computes nothing with
/// inputs that are not there yet.
npu::Npu npu_of(const EngineSize& size);

/// What the host writes for a case. `words_per_cycle` of the channel; 0: unlimited.
ControlBlockWords control_words_of(const Case& c, int shift, double words_per_cycle);

/// Whether the engine has what the case needs: places in its buffers, and accumulators, of which those of
/// idle PEs are of no use. Residency `weights` has no buffer.
bool has_room(const EngineSize& size, const Case& c);

/// What the RTL takes beside the closed form without a limit of bandwidth: one cycle for the first load, and
/// the pipeline behind the last real row, beside which the padded rows and the fill of the last tile pass.
std::int64_t constant_cycles(const EngineSize& size, const Case& c);

}  // namespace fluidbatch::rtl
