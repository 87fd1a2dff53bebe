// Constant folding: the few numbers of an ONNX graph that its shapes are computed from.
#pragma once

#include <optional>

#include "workloads/models/onnx/onnx_node.h"

namespace fluidbatch::workloads {

/// Numbers of the node's first output, whose sizes are `dims`; nothing where its inputs' numbers are not
/// known, where there are more than 256, or where the operator is not one that exporters compute shapes with.
std::optional<OnnxNumbers> fold(const OnnxNode& node, const Dims& dims);

}  // namespace fluidbatch::workloads
