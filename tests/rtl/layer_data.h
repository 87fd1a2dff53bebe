// One layer with random words: what the engine loads, what it has stored, and what Eigen says it should be.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include <Eigen/Core>

#include "npu_model/cost.h"

namespace fluidbatch::rtl {

using Words = Eigen::Matrix<std::int64_t, Eigen::Dynamic, Eigen::Dynamic>;

/// The matrices of a GEMM layer under one batch policy. A block is B_R samples below one another; where the
/// batch does not fill the last block its rows are zeros, which the engine cannot tell from others.
class LayerData {
 public:
  LayerData(const npu::Gemm& gemm, int batch, const npu::BatchPolicy& policy, int shift, std::mt19937_64& random)
      : blocks_(policy.b_p) {
    const std::int64_t rows = policy.b_r * gemm.r;
    for (std::int64_t group = 0; group < gemm.groups; ++group) {
      weights_.push_back(random_words(gemm.p, gemm.c, random));
      for (std::int64_t block = 0; block < policy.b_p; ++block) {
        Words inputs = random_words(rows, gemm.p, random);
        const std::int64_t real = std::min<std::int64_t>(rows, (batch - block * policy.b_r) * gemm.r);
        inputs.bottomRows(rows - real).setZero();
        expected_.push_back((inputs * weights_.back()).unaryExpr([shift](std::int64_t sum) {
          return std::clamp<std::int64_t>(sum >> shift, -32768, 32767);
        }));
        stored_.push_back(Words::Constant(rows, gemm.c, kNotStored));
        inputs_.push_back(std::move(inputs));
      }
    }
  }

  [[nodiscard]] const Words& inputs(std::int64_t group, std::int64_t block) const {
    return inputs_[index(group, block)];
  }
  [[nodiscard]] const Words& weights(std::int64_t group) const {
    return weights_[static_cast<std::size_t>(group)];
  }

  void store(std::int64_t group, std::int64_t block, std::int64_t row, std::int64_t channel, std::int16_t word) {
    std::int64_t& place = stored_[index(group, block)](row, channel);
    if (place != kNotStored) ++stored_again_;
    place = word;
  }

  /// Words that are not as Eigen has them, were never stored, or more than once.
  [[nodiscard]] std::int64_t wrong_words() const {
    std::int64_t wrong = stored_again_;
    for (std::size_t i = 0; i < stored_.size(); ++i) wrong += (stored_[i].array() != expected_[i].array()).count();
    return wrong;
  }

 private:
  static constexpr std::int64_t kNotStored = 1 << 20;  // no word of 16 bits

  static Words random_words(std::int64_t rows, std::int64_t columns, std::mt19937_64& random) {
    return Words::NullaryExpr(rows, columns, [&] { return static_cast<std::int16_t>(random()); });
  }
  [[nodiscard]] std::size_t index(std::int64_t group, std::int64_t block) const {
    return static_cast<std::size_t>(group * blocks_ + block);
  }

  std::int64_t blocks_;
  std::vector<Words> weights_;   // by group: P x C
  std::vector<Words> inputs_;    // by group and block: B_R R x P
  std::vector<Words> expected_;  // B_R R x C
  std::vector<Words> stored_;
  std::int64_t stored_again_ = 0;
};

}  // namespace fluidbatch::rtl
