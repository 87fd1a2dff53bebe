#include "tests/rtl/control_words.h"

#include <algorithm>
#include <limits>

namespace fluidbatch::rtl {
namespace {

using npu::Residency;

std::int64_t tiles_in(std::int64_t extent, std::int64_t tile) { return (extent + tile - 1) / tile; }

int levels(int leaves) {
  int bits = 0;
  while ((1 << bits) < leaves) ++bits;
  return bits;
}

/// Cycles from the issue of a row to the end of its store: buffers, operands, products, tree and joining,
/// then accumulator, queue and store. The cycle of the issue itself is a compute cycle and not counted.
std::int64_t pipeline_cycles(const EngineSize& size) { return 5 + levels(size.t_p) + levels(size.k_max); }

}  // namespace

npu::Npu npu_of(const EngineSize& size) {
  npu::Npu npu;
  npu.t_r = size.t_r;
  npu.t_p = size.t_p;
  npu.t_c = size.t_c;
  npu.k_max = size.k_max;
  npu.output_tiles = size.output_tiles;
  npu.clock_hz = 1e8;
  npu.input_bandwidth_bytes_per_s = std::numeric_limits<double>::infinity();
  npu.output_bandwidth_bytes_per_s = std::numeric_limits<double>::infinity();
  npu.row_weights = npu::RowWeights::each_block;
  npu.first_row_block = npu::FirstRowBlock::awaited;
  return npu;
}

ControlBlockWords control_words_of(const Case& c, int shift, double words_per_cycle) {
  const npu::Gemm& gemm = c.layer.gemm;
  const std::int64_t n_p = tiles_in(gemm.p, c.npu.t_p * c.policy.k);
  const std::int64_t n_c = tiles_in(gemm.c, c.npu.t_c / c.policy.k);
  const bool keep_rows = c.policy.residency == Residency::row;
  const bool keep_column = c.policy.residency == Residency::column;
  return {.groups = gemm.groups,
          .rows = c.policy.b_r * gemm.r,
          .depth = gemm.p,
          .channels = gemm.c,
          .blocks = c.policy.b_p,
          .k = c.policy.k,
          .keep_rows = keep_rows,
          .keep_weights = keep_column || (n_p == 1 && (!keep_rows || n_c == 1)),
          .blocks_inside = n_p == 1 || c.npu.weight_reuse == npu::WeightReuse::interleaved,
          .pad_rows = c.npu.edge_rows == npu::EdgeRows::pad,
          .input_places = keep_rows ? 2 * n_p * c.policy.b_p : 2,
          .weight_places = keep_column ? 2 * n_p : 2,
          .fill_cycles = c.npu.fill_cycles,
          .shift = shift,
          .words_per_cycle = words_per_cycle};
}

bool has_room(const EngineSize& size, const Case& c) {
  if (c.policy.residency == Residency::weights) return false;
  const ControlBlockWords control = control_words_of(c, 0, 0);
  const std::int64_t tile_rows = std::min<std::int64_t>(size.t_r / control.k, control.rows);
  const bool sums_up = control.depth > size.t_p * control.k;
  const std::int64_t unit_rows = tile_rows * (control.blocks_inside ? control.blocks : 1);
  return control.input_places <= size.input_places && control.weight_places <= size.weight_places &&
         (!sums_up || unit_rows <= static_cast<std::int64_t>(size.output_tiles) * size.t_r * control.k);
}

std::int64_t constant_cycles(const EngineSize& size, const Case& c) {
  const std::int64_t tile_rows = size.t_r / c.policy.k;
  const std::int64_t rows = c.policy.b_r * c.layer.gemm.r;
  const bool pads = c.npu.edge_rows == npu::EdgeRows::pad;
  const std::int64_t padded_rows = pads ? tiles_in(rows, tile_rows) * tile_rows - rows : 0;
  return 1 + std::max<std::int64_t>(pipeline_cycles(size) - padded_rows - c.npu.fill_cycles, 0);
}

}  // namespace fluidbatch::rtl
