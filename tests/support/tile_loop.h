// An oracle for the closed form of npu_model/cost.h: walks a layer tile by tile and shares no code with it.
#pragma once

#include <cstdint>

#include "npu_model/cost.h"

namespace fluidbatch::test {

struct TileLoopResult {
  std::int64_t compute_cycles = 0;
  std::int64_t input_words = 0;
  std::int64_t weight_words = 0;
  std::int64_t output_words = 0;
  double latency_cycles = 0;
};

/// Runs an ordinary (not depthwise) GEMM layer under `policy`.
///
/// Order: groups, column tiles, row tiles, tiles along P, blocks. Two input and two weight buffers: the load
/// of a step may begin when the step before last has been computed. Two output tiles: a tile's first step
/// waits for the store of the tile before last. The fill D is paid at the end of each output tile.
/// Separate channels serve loads and stores apart. A shared channel serves loads first, and stores word by
/// word while no load is asked for; a store that the engine waits for goes before the loads.
TileLoopResult run_tile_loop(const npu::Gemm& gemm, const npu::Npu& npu, const npu::BatchPolicy& policy);

}  // namespace fluidbatch::test
