// What a configuration says under `npu` and `npu_mode`: a modelled NPU in a mode, or a measured table.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "npu_model/batch_policy_table.h"
#include "workloads/io/map_reader.h"

namespace fluidbatch::sim {

class ModelCache;

/// Where latencies come from.
struct NpuChoice {
  npu::Npu npu;  ///< not used where `table_file` is set
  npu::Mode mode = npu::Mode::r;
  std::filesystem::path table_file;
  std::string name;   ///< of the NPU, or the file of the table
  io::Node resolved;  ///< the value of `npu`, with its path absolute

  /// The latency table for batches up to `max_batch`. Throws InputError where a measured one lacks a cell.
  [[nodiscard]] std::shared_ptr<const npu::BatchPolicyTable> table(const std::vector<npu::Layer>& layers,
                                                                   int max_batch) const;
};

/// Reads `npu` and `npu_mode` of `reader`, taking over from `otherwise` what is not given. The defaults go to
/// the reader's resolved map. Throws InputError.
NpuChoice read_npu_choice(io::MapReader& reader, const NpuChoice& otherwise, ModelCache& cache);

/// The choice where nothing says otherwise: `zu7ev_large` in mode r.
NpuChoice default_npu_choice(ModelCache& cache);

/// Reads a measured table: a CSV with columns layer, batch, latency_s (others are passed over), such as that
/// of `npu table --csv`. Seconds, layers x max_batch. Throws InputError: a layer that the network does not
/// have, a cell that is missing or stands twice.
Eigen::ArrayXXd load_latency_table(const std::filesystem::path& file, const std::vector<npu::Layer>& layers,
                                   int max_batch);

}  // namespace fluidbatch::sim
