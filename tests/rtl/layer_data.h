// One layer with random words: what the engine loads, what it has stored, and what Eigen says it should be.
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include <Eigen/Core>

#include "npu_model/cost.h"

namespace fluidbatch::rtl {

using Words = Eigen::Matrix<std::int64_t, Eigen::Dynamic, Eigen::Dynamic>;

/// The matrices of a GEMM layer as the engine sees them. A block is B_R samples below one another; where the
/// batch does not fill the last block its rows are zeros, which the engine cannot tell from others.
class LayerData {
 public:
  /// `inputs` by group and block (B_R R x P), `weights` by group (P x C); sums become words by `shift`.
  LayerData(std::vector<Words> inputs, std::vector<Words> weights, int shift)
      : blocks_(inputs.size() / weights.size()), inputs_(std::move(inputs)), weights_(std::move(weights)) {
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      const Words& group_weights = weights_[i / blocks_];
      expected_.emplace_back((inputs_[i] * group_weights).unaryExpr([shift](std::int64_t sum) {
        return std::clamp<std::int64_t>(sum >> shift, -32768, 32767);
      }));
      stored_.emplace_back(Words::Constant(inputs_[i].rows(), group_weights.cols(), kNotStored));
    }
  }

  /// Random words for `batch` samples of a layer under `policy`.
  static LayerData random(const npu::Gemm& gemm, int batch, const npu::BatchPolicy& policy, int shift,
                          std::mt19937_64& random) {
    std::vector<Words> inputs;
    std::vector<Words> weights;
    for (std::int64_t group = 0; group < gemm.groups; ++group) {
      weights.push_back(random_words(gemm.p, gemm.c, random));
      for (std::int64_t block = 0; block < policy.b_p; ++block) {
        inputs.push_back(random_words(policy.b_r * gemm.r, gemm.p, random));
        const std::int64_t samples = std::min<std::int64_t>(policy.b_r, batch - block * policy.b_r);
        inputs.back().bottomRows((policy.b_r - samples) * gemm.r).setZero();
      }
    }
    return {std::move(inputs), std::move(weights), shift};
  }

  static Words random_words(std::int64_t rows, std::int64_t columns, std::mt19937_64& random) {
    return Words::NullaryExpr(rows, columns, [&] { return static_cast<std::int16_t>(random()); });
  }

  [[nodiscard]] const Words& inputs(std::int64_t group, std::int64_t block) const {
    return inputs_[index(group, block)];
  }
  [[nodiscard]] const Words& weights(std::int64_t group) const {
    return weights_[static_cast<std::size_t>(group)];
  }

  void store(std::int64_t group, std::int64_t block, std::int64_t row, std::int64_t channel,
             std::int16_t word) {
    std::int64_t& place = stored_[index(group, block)](row, channel);
    if (place != kNotStored) ++stored_again_;
    place = word;
  }

  [[nodiscard]] const Words& stored(std::int64_t group, std::int64_t block) const {
    return stored_[index(group, block)];
  }

  /// Words that are not as Eigen has them, were never stored, or more than once.
  [[nodiscard]] std::int64_t wrong_words() const {
    std::int64_t wrong = stored_again_;
    for (std::size_t i = 0; i < stored_.size(); ++i)
      wrong += (stored_[i].array() != expected_[i].array()).count();
    return wrong;
  }

 private:
  static constexpr std::int64_t kNotStored = 1 << 20;  // no word of 16 bits

  [[nodiscard]] std::size_t index(std::int64_t group, std::int64_t block) const {
    return static_cast<std::size_t>(group) * blocks_ + static_cast<std::size_t>(block);
  }

  std::size_t blocks_;
  std::vector<Words> inputs_;
  std::vector<Words> weights_;
  std::vector<Words> expected_;  // by group and block: B_R R x C
  std::vector<Words> stored_;
  std::int64_t stored_again_ = 0;
};

}  // namespace fluidbatch::rtl
