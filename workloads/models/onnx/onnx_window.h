// The windows (kernel, stride, dilation, padding) of ONNX's convolutions and pooling.
#pragma once

#include <cstdint>
#include <string>

#include "workloads/io/yaml_node.h"
#include "workloads/models/onnx/onnx_node.h"

namespace fluidbatch::workloads {

/// `[1, 2, 3]`.
io::Node list_of(const Dims& numbers);

/// Sizes along height and width; a model of one dimension has width 1.
struct OnnxWindow {
  Dims kernel;
  Dims stride;
  Dims dilation;
  Dims padding;  ///< top, left, bottom, right; rounding up and automatic padding are some more at the end
  Dims output;   ///< height and width that come of it
  Dims output_padding{0, 0};  ///< of a transposed convolution: more rows and columns at the end
};

/// The window of a convolution or pooling with this kernel (one or two sizes), over the node's first input.
/// Throws InputError.
OnnxWindow read_window(const OnnxNode& node, Dims kernel);

/// The same of a transposed convolution, whose window lies over its output.
OnnxWindow read_transposed_window(const OnnxNode& node, Dims kernel);

/// Adds the window to a layer's YAML, as short as it can be written.
void put_window(io::Node& yaml, const OnnxWindow& window);

}  // namespace fluidbatch::workloads
