#include "npu_model/batch_policy_table.h"

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

}  // namespace

BatchPolicyTable::BatchPolicyTable(std::vector<Layer> layers, const Npu& npu, Mode mode, int max_batch,
                                   const Poll& poll)
    : layers_(std::move(layers)),
      max_batch_(max_batch),
      control_block_(std::in_place, layers_, npu, mode, max_batch, poll) {
  add_up(control_block_->latencies_s());
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

DynamicEnergy BatchPolicyTable::dynamic_energy(int layer, int batch) const {
  const LayerAccesses accesses =
      layer_accesses(this->layer(layer), control_block_->npu(), batch, control_block_->policy(layer, batch),
                     control_block_->cost(layer, batch));
  return npu::dynamic_energy(accesses, *control_block_->npu().energy);
}

}  // namespace fluidbatch::npu
