// Where the latencies of a scenario that is being built come from: an NPU, or a table.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "npu_model/batch_policy_table.h"
#include "workloads/models/network.h"

namespace fluidbatch::sim {

/// An NPU in a mode, or a table of latencies.
struct LatencySource {
  std::optional<npu::Npu> npu = {};
  npu::Mode mode = npu::Mode::r;
  std::shared_ptr<const npu::BatchPolicyTable> table = {};  ///< counts where not null

  /// The latencies of `network` for batches up to `max_batch`. Throws std::invalid_argument where there is
  /// neither, or where the table is not of this network or has fewer batch sizes.
  [[nodiscard]] std::shared_ptr<const npu::BatchPolicyTable> table_of(const workloads::Network& network,
                                                                      int max_batch) const;
  /// The NPU's, or "measured".
  [[nodiscard]] std::string name() const { return table == nullptr ? npu->name : "measured"; }
};

/// A table of latencies in seconds by layer, for batches of 1, 2, ..; and the segment of each layer, a
/// layer's exit being at the end of its segment. Without segments there is no early exit. Throws
/// std::invalid_argument.
std::shared_ptr<const npu::BatchPolicyTable> latency_table(const std::vector<std::vector<double>>& by_layer,
                                                           const std::vector<int>& segments = {});

/// The network that a table of latencies is of.
workloads::Network network_of(const npu::BatchPolicyTable& table);

}  // namespace fluidbatch::sim
