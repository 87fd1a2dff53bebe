#include "npu_model/batch_policy_table.h"

#include <array>
#include <stdexcept>
#include <utility>

namespace fluidbatch::npu {
namespace {

constexpr std::array kModes{Mode::r};

BatchPolicy choose(Mode mode, int batch) {
  switch (mode) {
    case Mode::r:
      return blocks_of(batch, 1, 1);
  }
  throw std::logic_error("unknown NPU mode");
}

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

std::string_view name_of(Mode mode) {
  switch (mode) {
    case Mode::r:
      return "r";
  }
  return "?";
}

std::span<const Mode> all_modes() { return kModes; }

BatchPolicyTable::BatchPolicyTable(std::vector<Layer> layers, Npu npu, Mode mode, int max_batch)
    : layers_(std::move(layers)), npu_(std::move(npu)), mode_(mode), max_batch_(max_batch) {
  validate(npu_);
  if (layers_.empty()) throw std::invalid_argument("a network needs at least one layer");
  if (max_batch < 1) throw std::invalid_argument("max_batch must be at least 1");
  segment_begin_ = segment_starts(layers_);

  policies_.reserve(layers_.size() * static_cast<std::size_t>(max_batch));
  costs_.reserve(policies_.capacity());
  prefix_s_.setZero(this->layers() + 1, max_batch);
  prefix_macs_.setZero(this->layers() + 1);
  for (int l = 0; l < this->layers(); ++l) {
    prefix_macs_(l + 1) = prefix_macs_(l) + static_cast<double>(layer(l).useful_macs());
    for (int b = 1; b <= max_batch; ++b) {
      policies_.push_back(choose(mode, b));
      costs_.push_back(layer_cost(layer(l), npu_, b, policies_.back()));
      prefix_s_(l + 1, b - 1) = prefix_s_(l, b - 1) + costs_.back().latency_s;
    }
  }
}

}  // namespace fluidbatch::npu
