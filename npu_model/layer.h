// What the network asks of the NPU: layers as groups of matrix products, or as words to move.
#pragma once

#include <cstdint>
#include <string>

namespace fluidbatch::npu {

/// `groups` products of an R x P activation matrix by a P x C weight matrix, for one sample.
struct Gemm {
  std::int64_t groups = 1;
  std::int64_t r = 0;
  std::int64_t p = 0;
  std::int64_t c = 0;

  bool operator==(const Gemm&) const = default;
};

/// Spatial sizes and channels of one convolution, for one sample.
struct Convolution {
  std::int64_t input_channels = 0;
  std::int64_t output_channels = 0;
  std::int64_t kernel_height = 1;
  std::int64_t kernel_width = 1;
  std::int64_t output_height = 1;
  std::int64_t output_width = 1;
  std::int64_t groups = 1;
};

/// Convolution as GEMM (im2col): R = H_out W_out, P = K_h K_w C_in / groups, C = C_out / groups.
/// Throws std::invalid_argument where `groups` divides the channels unevenly.
Gemm gemm_of(const Convolution& convolution);

enum class LayerKind {
  convolution,  ///< includes grouped convolutions
  depthwise,    ///< groups == input channels > 1: the engine may pack groups block-diagonally
  dense,        ///< R = 1
  matmul,       ///< of two activations, as in attention: every sample has right matrices of its own
  pool,         ///< this and the following are movers: no processing element works
  add,          ///< element-wise sum of two or more inputs
  multiply,     ///< element-wise product: squeeze-and-excitation
  concat,       ///< inputs side by side along the channels
  resize,       ///< a map in another height and width
};

/// The word used for `kind` in YAML and CSV: conv, depthwise, dense, matmul, pool, add, mul, concat,
/// resize.
const char* name_of(LayerKind kind);

/// Movers use no processing element: they cost the time to move their words.
bool is_mover(LayerKind kind);

/// One layer that the NPU executes, with its work for one sample.
struct Layer {
  std::string name;
  LayerKind kind = LayerKind::convolution;
  Gemm gemm;  ///< GEMM layers; a mover has r = positions, p = 0, c = channels
  /// Words of a group's input, H_in W_in C_in / groups, where its matrix repeats words; 0 where each of its R
  /// P is one of its own.
  std::int64_t distinct_input_words = 0;
  std::int64_t line_words = 0;         ///< K_h W_in C_in / groups of a window over several lines; 0 otherwise
  std::int64_t mover_input_words = 0;  ///< movers only: words read, all inputs together
  std::int64_t mover_output_words = 0;
  int segment = 0;  ///< index of the segment (design: between two exits) that the layer belongs to

  /// Multiply-accumulates that the result needs: groups R P C; 0 for movers.
  [[nodiscard]] std::int64_t useful_macs() const { return gemm.groups * gemm.r * gemm.p * gemm.c; }
  /// U: words of a group's input that the matrix is made of.
  [[nodiscard]] std::int64_t unique_input_words() const {
    const std::int64_t all = gemm.r * gemm.p;
    return distinct_input_words > 0 && distinct_input_words < all ? distinct_input_words : all;
  }
  /// Distinct weights: groups P C; biases and batch normalisation are fused and not counted. A product of two
  /// activations has none.
  [[nodiscard]] std::int64_t weights() const {
    return kind == LayerKind::matmul ? 0 : gemm.groups * gemm.p * gemm.c;
  }
};

}  // namespace fluidbatch::npu
