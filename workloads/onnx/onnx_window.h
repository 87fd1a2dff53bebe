// Attributes of ONNX nodes, and the windows (kernel, stride, dilation, padding) of convolutions and pooling.
#pragma once

#include <cstdint>
#include <string>

#include "workloads/io/yaml_node.h"
#include "workloads/onnx/onnx_graph.h"

namespace fluidbatch::workloads {

/// An attribute's value, or `otherwise` where the node does not have it.
std::int64_t integer(const onnx::NodeProto& node, const std::string& name, std::int64_t otherwise);
Dims integers(const onnx::NodeProto& node, const std::string& name, Dims otherwise);

/// `[1, 2, 3]`.
io::Node list_of(const Dims& numbers);

/// Sizes along height and width; a model of one dimension has width 1.
struct OnnxWindow {
  Dims kernel;
  Dims stride;
  Dims dilation;
  Dims padding;  ///< top, left, bottom, right
};

/// The window of `node` on an input of shape `input`, with the padding that gives the node's inferred output.
/// Throws InputError.
OnnxWindow read_window(const OnnxGraph& graph, const onnx::NodeProto& node, const Shape& input, Dims kernel);

/// Adds the window to a layer's YAML, as short as it can be written.
void put_window(io::Node& yaml, const OnnxWindow& window);

}  // namespace fluidbatch::workloads
