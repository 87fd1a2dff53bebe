// Matrix products of ONNX: MatMul, Gemm and Einsum as groups of R x P by P x C.
#pragma once

#include <cstdint>

#include "workloads/models/onnx/onnx_node.h"

namespace fluidbatch::workloads {

/// What the node's first two inputs, left and right, are multiplied as; the batch is one dimension like any.
struct OnnxProduct {
  std::int64_t groups = 1;        ///< products side by side: heads, windows
  std::int64_t left_groups = 1;   ///< as many or 1: one left matrix for all groups
  std::int64_t right_groups = 1;  ///< the same of the right one
  std::int64_t rows = 1;
  std::int64_t depth = 1;  ///< words that are summed over
  std::int64_t columns = 1;
  Dims output;
};

/// Throws InputError where the node's inputs don't fit, or where it is another kind of product.
OnnxProduct read_product(const OnnxNode& node);

}  // namespace fluidbatch::workloads
