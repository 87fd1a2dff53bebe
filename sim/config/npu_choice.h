// What a configuration says under `npu` and `npu_mode`: a modelled NPU in a mode, or a measured table.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "npu_model/batch_policy_table.h"
#include "workloads/io/yaml_node.h"

namespace fluidbatch::sim {

/// Where latencies come from.
struct NpuChoice {
  npu::Npu npu;  ///< not used where `table_file` is set
  npu::Mode mode = npu::Mode::r;
  std::filesystem::path table_file;
  std::vector<std::filesystem::path> service_tables;  ///< by service, instead of that
  std::string name;                                   ///< of the NPU, or the files of its tables
  io::Node resolved;                                  ///< the value of `npu`, with its path absolute

  [[nodiscard]] bool is_measured() const { return !table_file.empty() || !service_tables.empty(); }
  /// Where those of one service come from: without `service_tables`.
  [[nodiscard]] NpuChoice of_service(std::size_t service) const;
  /// The latency table, of a choice of one service, for batches up to `max_batch`. Throws InputError where a
  /// measured one lacks a cell.
  [[nodiscard]] std::shared_ptr<const npu::BatchPolicyTable> table(const std::vector<npu::Layer>& layers,
                                                                   int max_batch) const;
};

/// Reads a measured table: a CSV with columns layer, batch, latency_s (others are passed over), such as that
/// of `npu table --csv`. Seconds, layers x max_batch. Throws InputError: a layer that the network does not
/// have, a cell that is missing or there twice.
Eigen::ArrayXXd load_latency_table(const std::filesystem::path& file, const std::vector<npu::Layer>& layers,
                                   int max_batch);

}  // namespace fluidbatch::sim
