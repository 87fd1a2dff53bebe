// How ONNX's operators become layers.
#pragma once

#include <string>

#include "workloads/models/onnx/onnx_layers.h"

namespace fluidbatch::workloads {

/// Adds the layers that `node` needs, and says which activations its outputs are. Throws InputError for what
/// can't be expressed.
void import_node(OnnxLayers& layers, const OnnxNode& node);
using OnnxOperator = void (*)(OnnxLayers& layers, const OnnxNode& node);

/// MatMul, Gemm and Einsum: dense layers, layers applied to each token or position, products of activations.
void import_product(OnnxLayers& layers, const OnnxNode& node);

}  // namespace fluidbatch::workloads
