#include "workloads/models/network.h"

#include <functional>
#include <numeric>

namespace fluidbatch::workloads {
namespace {

std::int64_t sum_of(const std::vector<npu::Layer>& layers,
                    const std::function<std::int64_t(const npu::Layer&)>& value) {
  return std::accumulate(layers.begin(), layers.end(), std::int64_t{0},
                         [&](std::int64_t sum, const npu::Layer& layer) { return sum + value(layer); });
}

}  // namespace

std::int64_t Network::macs() const {
  return sum_of(layers, [](const npu::Layer& layer) { return layer.useful_macs(); });
}

std::int64_t Network::weights() const {
  return sum_of(layers, [](const npu::Layer& layer) { return layer.weights(); });
}

}  // namespace fluidbatch::workloads
