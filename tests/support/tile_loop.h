// An oracle for the closed form of npu_model/cost.h: walks a layer tile by tile and shares no code with it.
#pragma once

#include <cstdint>

#include "npu_model/cost.h"

namespace fluidbatch::test {

/// How a channel chooses among the transfers that may cross it.
enum class Arbiter {
  ideal,        ///< word by word, the one that the engine needs earliest
  fifo,         ///< one after another, in the order in which they were asked for
  equal_share,  ///< all at once, each with the same share of the bandwidth
};

struct TileLoopOptions {
  int output_tiles = 2;  ///< one drains while the next is computed
  Arbiter arbiter = Arbiter::ideal;
};

struct TileLoopResult {
  std::int64_t compute_cycles = 0;
  double input_words = 0;
  double weight_words = 0;
  std::int64_t output_words = 0;
  double latency_cycles = 0;
};

/// Runs a GEMM layer under `policy`, `packed_groups` groups of it in each product: block-diagonally, so that
/// of the packed weights one in `packed_groups` is not zero and moves. More than 1 is for depthwise layers.
/// For products of activations (matmul) all B_R B_P samples are products of their own.
///
/// A step is one tile of inputs by one tile of weights. Steps are in the order groups, column tiles, row
/// tiles, tiles along P, blocks; where a row block stays on the chip (residencies row and weights) the row
/// tiles go around the column tiles. A step begins when the step before it has been computed, its tiles are
/// there and, if it is the first of an output tile, there is room for that: the store of the tile
/// `output_tiles` before it has ended. The fill D is paid by the last step of an output tile.
///
/// A tile crosses the channel before its first use, into one of a number of places, and leaves its place
/// after its last use. Input tiles: two places, or two row blocks' where one stays. Weight tiles: two places;
/// with residency column those of two columns; with weights those of a group and two more. Where a whole
/// column has one tile along P, that tile stays for the column's steps if they follow one another.
/// Line buffers bring U / R words for each row of P, spread evenly over its tiles.
///
/// The layer's overhead goes before everything. Separate channels: all loads on one, all stores on the other.
TileLoopResult run_tile_loop(const npu::Layer& layer, const npu::Npu& npu, const npu::BatchPolicy& policy,
                             std::int64_t packed_groups = 1, TileLoopOptions options = {});

}  // namespace fluidbatch::test
