// What a layer does on the engine, operation by operation, and the energy that this takes: the equations of
// docs/model.md, "Energy".
#pragma once

#include <cstdint>

#include "npu_model/cost.h"

namespace fluidbatch::npu {

/// How often each thing that costs energy happens while a batch runs through a layer. As in its words, a
/// short last block counts as full, and so does the last product of packed groups; rows and lanes that are
/// padding count nothing, since gated units do not switch.
struct LayerAccesses {
  std::int64_t macs = 0;          ///< products of a real input and a real weight
  std::int64_t input_writes = 0;  ///< words into the input buffer: each that crosses the channel
  std::int64_t input_reads = 0;  ///< words out of it: each row once for each column tile, for all PEs at once
  std::int64_t weight_writes = 0;
  std::int64_t weight_reads = 0;   ///< words: a tile once for each input tile that passes it
  std::int64_t output_writes = 0;  ///< partial sums and final words, once for each tile along P
  std::int64_t output_reads = 0;   ///< of each partial sum that is added to, and of each final word
  std::int64_t dram_words = 0;     ///< over the memory channel, both ways

  [[nodiscard]] std::int64_t input_buffer() const { return input_writes + input_reads; }
  [[nodiscard]] std::int64_t weight_buffer() const { return weight_writes + weight_reads; }
  [[nodiscard]] std::int64_t output_buffer() const { return output_writes + output_reads; }

  bool operator==(const LayerAccesses&) const = default;
};

/// Those of `layer` for `batch` samples under `policy`, where `cost` is its layer_cost.
/// A mover's words pass through both buffers, and take no multiply-accumulate.
LayerAccesses layer_accesses(const Layer& layer, const Npu& npu, int batch, const BatchPolicy& policy,
                             const LayerCost& cost);

/// Joules by what takes them, without those that pass with time.
struct DynamicEnergy {
  double mac_j = 0;
  double input_buffer_j = 0;
  double weight_buffer_j = 0;
  double output_buffer_j = 0;
  double dram_j = 0;

  [[nodiscard]] double buffers_j() const { return input_buffer_j + weight_buffer_j + output_buffer_j; }
  [[nodiscard]] double total_j() const { return mac_j + buffers_j() + dram_j; }
  /// Adds `times` times another.
  void add(const DynamicEnergy& other, double times);
};

DynamicEnergy dynamic_energy(const LayerAccesses& accesses, const OperationEnergies& energies);

/// Joules of a layer on its own: dynamic, and static for as long as it runs.
inline double energy_j(const DynamicEnergy& dynamic, const OperationEnergies& energies, double latency_s) {
  return dynamic.total_j() + energies.static_w * latency_s;
}

}  // namespace fluidbatch::npu
