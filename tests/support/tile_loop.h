// An oracle for the closed form of npu_model/cost.h: walks a layer tile by tile and shares no code with it.
#pragma once

#include <cstdint>

#include "npu_model/cost.h"

namespace fluidbatch::test {

struct TileLoopResult {
  std::int64_t compute_cycles = 0;
  std::int64_t input_words = 0;
  double weight_words = 0;
  std::int64_t output_words = 0;
  double latency_cycles = 0;
};

/// Runs a GEMM layer under `policy`, `packed_groups` groups of it in each product: block-diagonally, so that
/// of the packed weights one in `packed_groups` is not zero and moves. More than 1 is for depthwise layers.
///
/// Order: groups, column tiles, row tiles, tiles along P, blocks. Two input buffers: the load of a step's
/// inputs may begin when the step before last has been computed. Two weight buffers: a weight tile may be
/// fetched when the tile before last has been used for the last time. Two output tiles: a tile's first step
/// waits for the store of the tile before last. The fill D is paid at the end of each output tile. A channel
/// serves inputs first, and in the gaps weights and stores, word by word, in the order in which they were
/// asked for; what the engine waits for goes before all others. Separate channels have no stores on the input
/// side and nothing but stores on the output side.
TileLoopResult run_tile_loop(const npu::Gemm& gemm, const npu::Npu& npu, const npu::BatchPolicy& policy,
                             std::int64_t packed_groups = 1);

}  // namespace fluidbatch::test
