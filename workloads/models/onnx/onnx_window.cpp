#include "workloads/models/onnx/onnx_window.h"

#include <algorithm>
#include <utility>

namespace fluidbatch::workloads {
namespace {

using io::Node;

constexpr std::int64_t kMostExtent = 1 << 20;  // times itself and a tensor's words it stays below 2^63

/// One number where both axes agree, [height, width] otherwise.
Node along_axes(std::int64_t height, std::int64_t width) {
  return height == width ? Node::integer(height) : list_of({height, width});
}

/// Height and width, from one or two sizes.
Dims two(const OnnxNode& node, Dims sizes, std::int64_t least, std::int64_t otherwise) {
  if (sizes.size() == 1) sizes.push_back(otherwise);
  const bool good = sizes.size() == 2 && std::all_of(sizes.begin(), sizes.end(), [&](std::int64_t size) {
                      return size >= least && size <= kMostExtent;
                    });
  if (!good) {
    node.fail("windows of one or two dimensions are supported, with sizes from " + std::to_string(least) +
              " to " + std::to_string(kMostExtent));
  }
  return sizes;
}

/// Height and width of the input, after batch and channels.
Dims input_extents(const OnnxNode& node) {
  const Dims& dims = node.dims(0);
  if (dims.size() != 3 && dims.size() != 4) node.fail("one or two dimensions are supported");
  return {dims[2], dims.size() == 4 ? dims[3] : 1};
}

Dims read_padding(const OnnxNode& node) {
  Dims padding = node.integers("pads", {0, 0, 0, 0});
  if (padding.size() == 2) padding = {padding[0], 0, padding[1], 0};
  const bool good = padding.size() == 4 && std::all_of(padding.begin(), padding.end(), [](std::int64_t size) {
                      return size >= 0 && size <= kMostExtent;
                    });
  if (!good) node.fail("its padding must have two or four numbers from 0 to " + std::to_string(kMostExtent));
  return padding;
}

/// All but padding and output. Sizes along an axis that is not there are 1.
OnnxWindow begin_window(const OnnxNode& node, Dims kernel) {
  OnnxWindow w;
  w.kernel = two(node, std::move(kernel), 1, 1);
  const std::size_t axes = node.dims(0).size() == 3 ? 1 : 2;
  w.stride = two(node, node.integers("strides", Dims(axes, 1)), 1, 1);
  w.dilation = two(node, node.integers("dilations", Dims(axes, 1)), 1, 1);
  return w;
}

std::int64_t reach_of(const OnnxWindow& w, std::size_t axis) {
  return w.dilation[axis] * (w.kernel[axis] - 1) + 1;
}

/// Extent of the output along an axis, as ONNX defines it.
std::int64_t output_extent(const OnnxNode& node, const OnnxWindow& w, std::size_t axis, std::int64_t input,
                           const std::string& automatic) {
  if (automatic.starts_with("SAME")) return (input + w.stride[axis] - 1) / w.stride[axis];
  const std::int64_t room = input + w.padding[axis] + w.padding[axis + 2] - reach_of(w, axis);
  if (room < 0) {
    node.fail("a kernel that reaches over " + std::to_string(reach_of(w, axis)) +
              " does not fit an input of " + std::to_string(input));
  }
  const bool rounds_up = node.integer("ceil_mode", 0) != 0;
  return (room + (rounds_up ? w.stride[axis] - 1 : 0)) / w.stride[axis] + 1;
}

}  // namespace

Node list_of(const Dims& numbers) {
  Node list = Node::sequence();
  for (const std::int64_t number : numbers) list.items.push_back(Node::integer(number));
  return list;
}

OnnxWindow read_window(const OnnxNode& node, Dims kernel) {
  OnnxWindow w = begin_window(node, std::move(kernel));
  const Dims input = input_extents(node);
  const std::string automatic = node.text("auto_pad", "NOTSET");
  w.padding = automatic == "NOTSET" ? read_padding(node) : Dims{0, 0, 0, 0};
  for (std::size_t axis = 0; axis < 2; ++axis) {
    w.output.push_back(output_extent(node, w, axis, input[axis], automatic));
    const std::int64_t needed =
        (w.output[axis] - 1) * w.stride[axis] + reach_of(w, axis) - input[axis] - w.padding[axis];
    w.padding[axis + 2] = std::max(w.padding[axis + 2], needed);
  }
  return w;
}

OnnxWindow read_transposed_window(const OnnxNode& node, Dims kernel) {
  OnnxWindow w = begin_window(node, std::move(kernel));
  const Dims input = input_extents(node);
  const std::string automatic = node.text("auto_pad", "NOTSET");
  const Dims padding = automatic == "NOTSET" ? read_padding(node) : Dims{0, 0, 0, 0};
  const std::size_t axes = node.dims(0).size() - 2;
  const Dims more = two(node, node.integers("output_padding", Dims(axes, 0)), 0, 0);
  Dims wanted = node.integers("output_shape", {});
  if (!wanted.empty()) wanted = two(node, wanted, 1, 1);
  w.padding = {0, 0, 0, 0};
  for (std::size_t axis = 0; axis < 2; ++axis) {
    const std::int64_t all = (input[axis] - 1) * w.stride[axis] + reach_of(w, axis);
    std::int64_t output = all + more[axis] - padding[axis] - padding[axis + 2];
    if (automatic.starts_with("SAME")) output = input[axis] * w.stride[axis];
    if (!wanted.empty()) output = wanted[axis];
    if (output < 1) node.fail("its padding leaves nothing of its output");
    w.output.push_back(output);
    const std::int64_t cut = std::max<std::int64_t>(all - output, 0);
    w.padding[axis] = cut / 2;
    w.padding[axis + 2] = cut - cut / 2;
    w.output_padding[axis] = std::max<std::int64_t>(output - all, 0);
  }
  return w;
}

void put_window(Node& yaml, const OnnxWindow& window) {
  const auto put = [&yaml](const char* key, const Dims& pair, const Dims& otherwise) {
    if (pair != otherwise) yaml.put(key, along_axes(pair[0], pair[1]));
  };
  put("kernel", window.kernel, {1, 1});
  put("stride", window.stride, {1, 1});
  put("dilation", window.dilation, {1, 1});
  const Dims& p = window.padding;
  if (p != Dims{0, 0, 0, 0}) {
    yaml.put("padding", p[0] == p[2] && p[1] == p[3] ? along_axes(p[0], p[1]) : list_of(p));
  }
  put("output_padding", window.output_padding, {0, 0});
}

}  // namespace fluidbatch::workloads
