#include "npu_model/energy.h"

#include "npu_model/ceil_div.h"

namespace fluidbatch::npu {
namespace {

constexpr double kJoulesPerPicojoule = 1e-12;

LayerAccesses mover_accesses(const LayerCost& cost) {
  return {.input_writes = cost.input_words,
          .input_reads = cost.input_words,
          .output_writes = cost.output_words,
          .output_reads = cost.output_words};
}

/// Of `groups` products in all, laid out under `policy`, and packed as `cost` says.
LayerAccesses gemm_accesses(const Layer& layer, const Npu& npu, const BatchPolicy& policy,
                            const LayerCost& cost, std::int64_t groups) {
  const std::int64_t packed = cost.packed_groups;
  const std::int64_t products = ceil_div(groups, packed);
  const std::int64_t depth = packed * layer.gemm.p;
  const std::int64_t channels = packed * layer.gemm.c;
  const std::int64_t block_rows = policy.b_r * layer.gemm.r;
  const std::int64_t rows = products * policy.b_p * block_rows;
  const std::int64_t row_tiles = ceil_div(block_rows, npu.t_r / policy.k);
  const std::int64_t column_tiles = ceil_div(channels, npu.t_c / policy.k);
  const std::int64_t depth_tiles = ceil_div(depth, policy.k * npu.t_p);
  const std::int64_t weights = depth * channels / packed;  // of a product, without the zeros of packing
  return {.macs = rows * weights,
          .input_writes = cost.input_words,
          .input_reads = rows * depth * column_tiles,
          .weight_writes = cost.weight_words,
          .weight_reads = products * policy.b_p * row_tiles * weights,
          .output_writes = depth_tiles * cost.output_words,
          .output_reads = depth_tiles * cost.output_words};
}

}  // namespace

LayerAccesses layer_accesses(const Layer& layer, const Npu& npu, int batch, const BatchPolicy& policy,
                             const LayerCost& cost) {
  LayerAccesses accesses;
  if (is_mover(layer.kind)) {
    accesses = mover_accesses(cost);
  } else if (layer.kind == LayerKind::matmul) {
    // As in layer_cost: so many more groups of one sample's rows.
    const BatchPolicy one_sample{.b_r = 1, .b_p = 1, .k = policy.k, .residency = policy.residency};
    accesses = gemm_accesses(layer, npu, one_sample, cost, batch * layer.gemm.groups);
  } else {
    accesses = gemm_accesses(layer, npu, policy, cost, layer.gemm.groups);
  }
  accesses.dram_words = cost.input_words + cost.weight_words + cost.output_words;
  return accesses;
}

void DynamicEnergy::add(const DynamicEnergy& other, double times) {
  mac_j += times * other.mac_j;
  input_buffer_j += times * other.input_buffer_j;
  weight_buffer_j += times * other.weight_buffer_j;
  output_buffer_j += times * other.output_buffer_j;
  dram_j += times * other.dram_j;
}

DynamicEnergy dynamic_energy(const LayerAccesses& accesses, const OperationEnergies& energies) {
  const auto joules = [](std::int64_t count, double picojoules) {
    return static_cast<double>(count) * picojoules * kJoulesPerPicojoule;
  };
  return {.mac_j = joules(accesses.macs, energies.mac_pj),
          .input_buffer_j = joules(accesses.input_buffer(), energies.input_buffer_pj_per_word),
          .weight_buffer_j = joules(accesses.weight_buffer(), energies.weight_buffer_pj_per_word),
          .output_buffer_j = joules(accesses.output_buffer(), energies.output_buffer_pj_per_word),
          .dram_j = joules(accesses.dram_words, energies.dram_pj_per_word)};
}

}  // namespace fluidbatch::npu
