#include "sim/scenario/latency_source.h"

#include <cstddef>
#include <string>
#include <utility>

#include "sim/scenario/requirement.h"

namespace fluidbatch::sim {

using npu::BatchPolicyTable;

std::shared_ptr<const BatchPolicyTable> LatencySource::table_of(const workloads::Network& network,
                                                                int max_batch) const {
  if (table == nullptr) {
    require(npu.has_value(), "a scenario needs an NPU, or latencies");
    return std::make_shared<const BatchPolicyTable>(network.layers, *npu, mode, max_batch);
  }
  require(
      table->layers() == static_cast<int>(network.layers.size()) && table->segments() == network.exit_count(),
      "latencies need the layers and segments of the network");
  require(table->max_batch() >= max_batch, "latencies for batches up to " + std::to_string(max_batch) +
                                               " are needed, and there are those up to " +
                                               std::to_string(table->max_batch()));
  return table;
}

std::shared_ptr<const BatchPolicyTable> latency_table(const std::vector<std::vector<double>>& by_layer,
                                                      const std::vector<int>& segments) {
  require(!by_layer.empty(), "latencies need at least one layer");
  require(segments.empty() || segments.size() == by_layer.size(), "each layer needs its segment");
  const std::size_t batches = by_layer.front().size();
  Eigen::ArrayXXd seconds(static_cast<Eigen::Index>(by_layer.size()), static_cast<Eigen::Index>(batches));
  std::vector<npu::Layer> layers(by_layer.size());
  for (std::size_t i = 0; i < by_layer.size(); ++i) {
    require(by_layer[i].size() == batches, "each layer needs a latency for each batch size");
    layers[i].name = "l" + std::to_string(i);
    layers[i].gemm = {.groups = 1, .r = 1, .p = 1, .c = 1};
    layers[i].segment = segments.empty() ? 0 : segments[i];
    for (std::size_t b = 0; b < batches; ++b) {
      seconds(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(b)) = by_layer[i][b];
    }
  }
  return std::make_shared<const BatchPolicyTable>(std::move(layers), seconds);
}

workloads::Network network_of(const BatchPolicyTable& table) {
  workloads::Network network;
  network.name = "measured";
  for (int layer = 0; layer < table.layers(); ++layer) network.layers.push_back(table.layer(layer));
  for (int exit = 0; exit < table.segments(); ++exit) network.exits.push_back("e" + std::to_string(exit));
  return network;
}

}  // namespace fluidbatch::sim
