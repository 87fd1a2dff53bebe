#include "workloads/onnx/onnx_window.h"

#include <algorithm>
#include <onnx/onnx_pb.h>
#include <utility>

namespace fluidbatch::workloads {
namespace {

using io::Node;

const onnx::AttributeProto* find_attribute(const onnx::NodeProto& node, const std::string& name) {
  for (const auto& attribute : node.attribute()) {
    if (attribute.name() == name) return &attribute;
  }
  return nullptr;
}

/// One number where both axes agree, [height, width] otherwise.
Node along_axes(std::int64_t height, std::int64_t width) {
  return height == width ? Node::integer(height) : list_of({height, width});
}

/// Height and width, from one or two sizes of at least 1.
Dims two(const OnnxGraph& graph, const onnx::NodeProto& node, Dims sizes) {
  if (sizes.size() == 1) sizes.push_back(1);
  const bool good = sizes.size() == 2 && sizes[0] >= 1 && sizes[1] >= 1;
  if (!good) graph.fail(node, "windows of one or two dimensions are supported, with sizes from 1");
  return sizes;
}

/// Padding at the end of an axis that gives `output`, at least what the model says: rounding up (ceil_mode)
/// and automatic padding come to the same as some more padding.
std::int64_t end_padding(const OnnxGraph& graph, const onnx::NodeProto& node, const OnnxWindow& w,
                         std::size_t axis, std::int64_t input, std::int64_t output) {
  const std::int64_t reach = w.dilation[axis] * (w.kernel[axis] - 1) + 1;
  const std::int64_t needed = (output - 1) * w.stride[axis] + reach - input - w.padding[axis];
  const std::int64_t end = std::max(w.padding[axis + 2], needed);
  if ((input + w.padding[axis] + end - reach) / w.stride[axis] + 1 != output || end < 0) {
    graph.fail(node, "its padding does not give the shape of its output");
  }
  return end;
}

}  // namespace

std::int64_t integer(const onnx::NodeProto& node, const std::string& name, std::int64_t otherwise) {
  const auto* attribute = find_attribute(node, name);
  return attribute == nullptr ? otherwise : attribute->i();
}

Dims integers(const onnx::NodeProto& node, const std::string& name, Dims otherwise) {
  const auto* attribute = find_attribute(node, name);
  return attribute == nullptr ? std::move(otherwise)
                              : Dims(attribute->ints().begin(), attribute->ints().end());
}

Node list_of(const Dims& numbers) {
  Node list = Node::sequence();
  for (const std::int64_t number : numbers) list.items.push_back(Node::integer(number));
  return list;
}

OnnxWindow read_window(const OnnxGraph& graph, const onnx::NodeProto& node, const Shape& input, Dims kernel) {
  OnnxWindow w;
  w.kernel = two(graph, node, std::move(kernel));
  w.stride = two(graph, node, integers(node, "strides", {1, 1}));
  w.dilation = two(graph, node, integers(node, "dilations", {1, 1}));
  w.padding = integers(node, "pads", {0, 0, 0, 0});
  if (w.padding.size() == 2) w.padding = {w.padding[0], 0, w.padding[1], 0};
  if (w.padding.size() != 4) graph.fail(node, "its padding must have two or four numbers");
  const Shape output = graph.shape(node.output(0), node);
  w.padding[2] = end_padding(graph, node, w, 0, input.height, output.height);
  w.padding[3] = end_padding(graph, node, w, 1, input.width, output.width);
  return w;
}

void put_window(Node& yaml, const OnnxWindow& window) {
  const auto put = [&yaml](const char* key, const Dims& pair) {
    if (pair != Dims{1, 1}) yaml.put(key, along_axes(pair[0], pair[1]));
  };
  put("kernel", window.kernel);
  put("stride", window.stride);
  put("dilation", window.dilation);
  const Dims& p = window.padding;
  if (p == Dims{0, 0, 0, 0}) return;
  yaml.put("padding", p[0] == p[2] && p[1] == p[3] ? along_axes(p[0], p[1]) : list_of(p));
}

}  // namespace fluidbatch::workloads
