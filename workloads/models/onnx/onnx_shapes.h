// Sizes of what ONNX's operators give.
#pragma once

#include <vector>

#include "workloads/models/onnx/onnx_node.h"

namespace fluidbatch::workloads {

/// Sizes of the node's outputs, in order; fewer (or none) where the rest can't be inferred, be it that the
/// operator is not known or that a shape depends on numbers that are not. All its inputs' sizes are known.
/// Throws InputError where they don't fit the operator.
std::vector<Dims> infer_shapes(const OnnxNode& node);

}  // namespace fluidbatch::workloads
