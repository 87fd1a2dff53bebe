#include "npu_model/batch_policy_table.h"

#include <cmath>
#include <stdexcept>
#include <utility>

namespace fluidbatch::npu {
namespace {

std::vector<int> segment_starts(const std::vector<Layer>& layers) {
  std::vector<int> starts;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const int segment = layers[i].segment;
    if (segment == static_cast<int>(starts.size())) {
      starts.push_back(static_cast<int>(i));
    } else if (segment + 1 != static_cast<int>(starts.size())) {
      throw std::invalid_argument("layer '" + layers[i].name + "': segments must be 0, 1, .. without a gap");
    }
  }
  starts.push_back(static_cast<int>(layers.size()));
  return starts;
}

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

BatchPolicyTable::BatchPolicyTable(std::vector<Layer> layers, Npu npu, Mode mode, int max_batch)
    : layers_(std::move(layers)), npu_(std::move(npu)), mode_(mode), max_batch_(max_batch) {
  validate(*npu_);
  if (max_batch < 1) throw std::invalid_argument("max_batch must be at least 1");
  const std::size_t cells = layers_.size() * static_cast<std::size_t>(max_batch);
  policies_.resize(cells);
  costs_.resize(cells);
  Eigen::ArrayXXd latencies_s(this->layers(), max_batch);
  for (int b = 1; b <= max_batch; ++b) {
    const std::vector<BatchPolicy> allowed = candidates(mode, *npu_, b);
    for (int l = 0; l < this->layers(); ++l) {
      policies_[at(l, b)] = choose_feasible(mode, allowed, layer(l), *npu_, b);
      costs_[at(l, b)] = layer_cost(layer(l), *npu_, b, policies_[at(l, b)]);
      latencies_s(l, b - 1) = costs_[at(l, b)].latency_s;
    }
  }
  add_up(latencies_s);
}

BatchPolicyTable::BatchPolicyTable(std::vector<Layer> layers, const Eigen::ArrayXXd& latencies_s)
    : layers_(std::move(layers)), max_batch_(static_cast<int>(latencies_s.cols())) {
  if (latencies_s.rows() != this->layers() || max_batch_ < 1) {
    throw std::invalid_argument("a measured table needs a row for each layer and at least one batch size");
  }
  if (!(latencies_s >= 0).all() || !latencies_s.isFinite().all()) {
    throw std::invalid_argument("a measured latency must be finite and not negative");
  }
  add_up(latencies_s);
}

void BatchPolicyTable::add_up(const Eigen::ArrayXXd& latencies_s) {
  if (layers_.empty()) throw std::invalid_argument("a network needs at least one layer");
  segment_begin_ = segment_starts(layers_);
  segment_of_.reserve(layers_.size());
  for (const Layer& layer : layers_) segment_of_.push_back(layer.segment);
  prefix_s_.setZero(layers() + 1, max_batch_);
  prefix_macs_.setZero(layers() + 1);
  for (int l = 0; l < layers(); ++l) {
    prefix_macs_(l + 1) = prefix_macs_(l) + static_cast<double>(layer(l).useful_macs());
    for (int b = 0; b < max_batch_; ++b) prefix_s_(l + 1, b) = prefix_s_(l, b) + latencies_s(l, b);
  }
}

}  // namespace fluidbatch::npu
