// What ONNX's operators say about the axes of their inputs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "workloads/models/onnx/onnx_node.h"

namespace fluidbatch::workloads {

/// Sizes of two tensors combined element by element: aligned at the end, with 1 repeated. Throws InputError.
Dims broadcast(const OnnxNode& node, const Dims& a, const Dims& b);

/// First index, step and number of elements of a slice along one axis.
struct SliceRange {
  std::size_t axis = 0;
  std::int64_t first = 0;
  std::int64_t step = 1;
  std::int64_t count = 0;
};

/// Of a Slice, for each axis that it names; nothing where its bounds are not known. Throws InputError.
std::optional<std::vector<SliceRange>> read_slice(const OnnxNode& node);

/// Axes of a reduction, a Squeeze or the like, in ascending order; nothing where they are not known.
/// `rank` is that of the tensor that they index, `otherwise` counts where none are given. Throws InputError.
std::optional<std::vector<std::size_t>> read_axes(const OnnxNode& node, std::size_t rank,
                                                  const Dims& otherwise);

}  // namespace fluidbatch::workloads
