#include "workloads/models/onnx/onnx_graph.h"

#include <algorithm>
#include <onnx/onnx_pb.h>

#include "workloads/io/input_error.h"
#include "workloads/models/onnx/onnx_shapes.h"
#include "workloads/models/onnx/onnx_values.h"

namespace fluidbatch::workloads {
namespace {

std::int64_t opset_of(const onnx::ModelProto& model) {
  for (const auto& opset : model.opset_import()) {
    if (opset.domain().empty() || opset.domain() == "ai.onnx") return opset.version();
  }
  return 1;
}

std::string text(std::int64_t height, std::int64_t width) {
  return std::to_string(height) + " x " + std::to_string(width);
}

}  // namespace

OnnxGraph::OnnxGraph(const std::filesystem::path& file, const HeightWidth& height_width)
    : model_(read_onnx_model(file)),
      tensors_{.file = file.string(), .opset = opset_of(*model_), .by_name = {}} {
  for (const auto& tensor : model_->graph().initializer()) {
    tensors_.by_name[tensor.name()] = {
        .dims = dims_of(tensor), .constant = true, .numbers = numbers_of(tensor)};
  }
  find_input(height_width);
  for (const onnx::NodeProto& node : model_->graph().node()) {
    nodes_.emplace_back(node, tensors_);
    infer(nodes_.back());
  }
}

OnnxGraph::~OnnxGraph() = default;

void OnnxGraph::find_input(const HeightWidth& height_width) {
  const onnx::ValueInfoProto* input = nullptr;
  for (const auto& candidate : model_->graph().input()) {
    if (tensors_.by_name.contains(candidate.name())) continue;  // older models list initializers too
    if (input != nullptr) {
      throw io::InputError(file() + ": one input is supported; the model has '" + input->name() + "' and '" +
                           candidate.name() + "'");
    }
    input = &candidate;
  }
  if (input == nullptr || !input->type().tensor_type().has_shape()) {
    throw io::InputError(file() + ": the model has no input with a shape");
  }
  input_ = input->name();
  const Dims dims = input_dims(*input, height_width);
  batch_ = dims.front();
  tensors_.by_name[input_] = {.dims = dims, .constant = false, .numbers = {}};
}

Dims OnnxGraph::input_dims(const onnx::ValueInfoProto& input, const HeightWidth& height_width) const {
  Dims dims;
  for (const auto& dim : input.type().tensor_type().shape().dim()) {
    dims.push_back(dim.has_dim_value() ? std::max<std::int64_t>(dim.dim_value(), 0) : 0);  // 0 is open
  }
  if (dims.size() < 2) throw io::InputError(file() + ": the input needs a batch and a size");
  if (dims[0] == 0) dims[0] = 1;
  if (height_width) {
    if (dims.size() != 4) throw io::InputError(file() + ": --input is for an input of four dimensions");
    const auto [height, width] = *height_width;
    if ((dims[2] > 0 && dims[2] != height) || (dims[3] > 0 && dims[3] != width)) {
      throw io::InputError(file() + ": --input " + std::to_string(height) + "," + std::to_string(width) +
                           ": the model fixes the size of its input '" + input.name() + "' at " +
                           text(dims[2], dims[3]) + "; export it with an open height and width");
    }
    dims[2] = height;
    dims[3] = width;
  }
  if (std::find(dims.begin(), dims.end(), 0) != dims.end()) {
    throw io::InputError(
        file() + ": the size of input '" + input.name() + "' is open; " +
        (dims.size() == 4 ? "give it with --input H,W" : "export the model with a fixed one"));
  }
  if (words_of(dims) < 0) throw io::InputError(file() + ": the input has more than 2^40 words");
  return dims;
}

void OnnxGraph::infer(const OnnxNode& node) {
  bool constant = true;
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    constant = constant && (!node.has_input(i) || node.input(i).constant);
  }
  // Shapes are fixed here, so what is computed from them is constant too.
  if (node.op() == "Shape" || node.op() == "Size") constant = true;
  const std::vector<Dims> shapes = checked_shapes(node);
  const std::vector<std::string> outputs = node.outputs();
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].empty()) continue;
    OnnxTensor tensor{.dims = {}, .constant = constant, .numbers = {}};
    if (i < shapes.size()) tensor.dims = shapes[i];
    if (constant && i == 0 && tensor.dims) tensor.numbers = fold(node, *tensor.dims);
    if (!tensors_.by_name.emplace(outputs[i], std::move(tensor)).second) {
      node.fail("its output '" + outputs[i] + "' is defined twice");
    }
  }
}

std::vector<Dims> OnnxGraph::checked_shapes(const OnnxNode& node) const {
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    if (node.has_input(i) && !node.input(i).dims) return {};
  }
  std::vector<Dims> shapes = infer_shapes(node);
  for (const Dims& dims : shapes) {
    if (words_of(dims) < 0)
      node.fail("its output would have more than 2^40 words or 16 dimensions, or a negative size");
  }
  return shapes;
}

}  // namespace fluidbatch::workloads
