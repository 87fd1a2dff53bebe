#include "npu_model/control_block.h"

#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>

namespace fluidbatch::npu {
namespace {

/// The choice, where there is one: memory may be as slow as to take for ever, and yet hold what a policy
/// needs.
BatchPolicy choose_feasible(Mode mode, std::span<const BatchPolicy> allowed, const Layer& layer,
                            const Npu& npu, int batch) {
  const Choice choice = choose(mode, allowed, layer, npu, batch);
  if (std::isfinite(choice.latency_cycles)) return choice.policy;
  for (const BatchPolicy& policy : allowed) {
    if (layer_cost(layer, npu, batch, policy).feasible) return policy;
  }
  const BatchPolicy& first = allowed.front();
  throw std::invalid_argument("layer '" + layer.name + "', batch " + std::to_string(batch) +
                              ": on_chip_bytes holds no batch policy's words; <" + std::to_string(first.b_r) +
                              ", 1, 1, " + std::string(name_of(first.residency)) + "> needs " +
                              std::to_string(layer_cost(layer, npu, batch, first).on_chip_bytes) + " of " +
                              std::to_string(npu.on_chip_bytes) + " bytes");
}

}  // namespace

ControlBlock::ControlBlock(const std::vector<Layer>& layers, Npu npu, Mode mode, int max_batch,
                           const Poll& poll)
    : npu_(std::move(npu)), mode_(mode), max_batch_(max_batch) {
  validate(npu_);
  if (max_batch < 1) throw std::invalid_argument("max_batch must be at least 1");
  const std::size_t cells = layers.size() * static_cast<std::size_t>(max_batch);
  policies_.resize(cells);
  costs_.resize(cells);
  for (int b = 1; b <= max_batch; ++b) {
    const std::vector<BatchPolicy> allowed = candidates(mode, npu_, b);
    for (std::size_t l = 0; l < layers.size(); ++l) {
      if (poll) poll();
      const std::size_t cell = at(static_cast<int>(l), b);
      policies_[cell] = choose_feasible(mode, allowed, layers[l], npu_, b);
      costs_[cell] = layer_cost(layers[l], npu_, b, policies_[cell]);
    }
  }
}

Eigen::ArrayXXd ControlBlock::latencies_s() const {
  const auto layers = static_cast<int>(costs_.size()) / max_batch_;
  Eigen::ArrayXXd latencies_s(layers, max_batch_);
  for (int l = 0; l < layers; ++l) {
    for (int b = 1; b <= max_batch_; ++b) latencies_s(l, b - 1) = cost(l, b).latency_s;
  }
  return latencies_s;
}

}  // namespace fluidbatch::npu
