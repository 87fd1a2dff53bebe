#include "workloads/onnx/onnx_graph.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <functional>
#include <numeric>
#include <onnx/onnx_pb.h>
#include <onnx/shape_inference/implementation.h>

namespace fluidbatch::workloads {
namespace {

std::optional<Dims> dims_of(const onnx::TypeProto& type) {
  if (!type.has_tensor_type() || !type.tensor_type().has_shape()) return std::nullopt;
  Dims dims;
  for (const auto& dim : type.tensor_type().shape().dim()) {
    if (!dim.has_dim_value() || dim.dim_value() < 0) return std::nullopt;
    dims.push_back(dim.dim_value());
  }
  return dims;
}

}  // namespace

OnnxGraph::OnnxGraph(const std::filesystem::path& file,
                     const std::optional<std::pair<std::int64_t, std::int64_t>>& height_width)
    : file_(file.string()), model_(std::make_unique<onnx::ModelProto>()) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream || std::filesystem::is_directory(file))
    throw io::InputError(file_ + ": no such file, or not readable");
  if (!model_->ParseFromIstream(&stream) || !model_->has_graph() || model_->graph().node_size() == 0) {
    throw io::InputError(file_ + ": not an ONNX model, or one without a node");
  }
  find_input(height_width);
  do {
    infer_shapes();
  } while (fold_reshape_targets());
  find_constants();
}

OnnxGraph::~OnnxGraph() = default;

std::vector<const onnx::NodeProto*> OnnxGraph::nodes() const {
  std::vector<const onnx::NodeProto*> nodes;
  for (const onnx::NodeProto& node : model_->graph().node()) nodes.push_back(&node);
  return nodes;
}

void OnnxGraph::find_input(const std::optional<std::pair<std::int64_t, std::int64_t>>& height_width) {
  std::set<std::string> initialized;
  for (const auto& tensor : model_->graph().initializer()) initialized.insert(tensor.name());
  onnx::ValueInfoProto* input = nullptr;
  for (auto& candidate : *model_->mutable_graph()->mutable_input()) {
    if (initialized.contains(candidate.name())) continue;
    if (input != nullptr) {
      throw io::InputError(file_ + ": one input is supported; the model has '" + input->name() + "' and '" +
                           candidate.name() + "'");
    }
    input = &candidate;
  }
  if (input == nullptr || !input->type().tensor_type().has_shape()) {
    throw io::InputError(file_ + ": the model has no input with a shape");
  }
  input_ = input->name();
  auto* shape = input->mutable_type()->mutable_tensor_type()->mutable_shape();
  if (shape->dim_size() < 2) throw io::InputError(file_ + ": the input needs a batch and a size");
  if (height_width) {
    if (shape->dim_size() != 4) throw io::InputError(file_ + ": --input is for an input of four dimensions");
    shape->mutable_dim(2)->set_dim_value(height_width->first);
    shape->mutable_dim(3)->set_dim_value(height_width->second);
  }
  // An open batch is one sample. A fixed one stays, since a Reshape may repeat it; `shape` leaves it out.
  auto* batch = shape->mutable_dim(0);
  if (!batch->has_dim_value() || batch->dim_value() < 1) batch->set_dim_value(1);
  batch_ = batch->dim_value();
  for (int i = 1; i < shape->dim_size(); ++i) {
    if (shape->dim(i).has_dim_value() && shape->dim(i).dim_value() > 0) continue;
    throw io::InputError(file_ + ": the size of input '" + input_ + "' is open; give it with --input H,W");
  }
}

void OnnxGraph::infer_shapes() {
  auto* graph = model_->mutable_graph();
  graph->clear_value_info();  // of another batch or input size, perhaps
  for (auto& output : *graph->mutable_output()) output.mutable_type()->mutable_tensor_type()->clear_shape();
  try {
    onnx::shape_inference::InferShapes(*model_);
  } catch (const std::exception& error) {
    throw io::InputError(file_ + ": its shapes can't be inferred: " + error.what());
  }
  const auto keep = [this](const auto& values) {
    for (const auto& value : values) {
      if (const auto dims = dims_of(value.type())) dims_[value.name()] = *dims;
    }
  };
  keep(graph->value_info());
  keep(graph->output());
  keep(graph->input());
  for (const auto& tensor : graph->initializer())
    dims_[tensor.name()] = Dims(tensor.dims().begin(), tensor.dims().end());
}

bool OnnxGraph::fold_reshape_targets() {
  auto* graph = model_->mutable_graph();
  bool folded = false;
  for (auto& node : *graph->mutable_node()) {
    if (node.op_type() != "Reshape" || node.input_size() < 2 || dims_.contains(node.output(0))) continue;
    const std::optional<Dims> target = integers_of(node.input(1), 0);
    if (!target) continue;
    auto* tensor = graph->add_initializer();
    tensor->set_name(node.input(1) + "/folded");
    tensor->set_data_type(onnx::TensorProto::INT64);
    tensor->add_dims(static_cast<std::int64_t>(target->size()));
    for (const std::int64_t value : *target) tensor->add_int64_data(value);
    node.set_input(1, tensor->name());
    folded = true;
  }
  return folded;
}

/// Values of an integer tensor that is computed from shapes and constants, as exporters write `x.view(n,
/// -1)`.
std::optional<Dims> OnnxGraph::integers_of(const std::string& tensor, int depth) const {
  constexpr int kMostDepth = 32;
  if (depth > kMostDepth) return std::nullopt;
  const auto values_of = [](const onnx::TensorProto& t) -> std::optional<Dims> {
    if (t.data_type() != onnx::TensorProto::INT64) return std::nullopt;
    Dims values(t.int64_data().begin(), t.int64_data().end());
    if (values.empty() && !t.raw_data().empty()) {
      values.resize(t.raw_data().size() / sizeof(std::int64_t));
      std::memcpy(values.data(), t.raw_data().data(), values.size() * sizeof(std::int64_t));
    }
    return values;
  };
  for (const auto& initializer : model_->graph().initializer()) {
    if (initializer.name() == tensor) return values_of(initializer);
  }
  const auto& nodes = model_->graph().node();
  const auto producer = std::find_if(nodes.begin(), nodes.end(), [&](const onnx::NodeProto& node) {
    return std::find(node.output().begin(), node.output().end(), tensor) != node.output().end();
  });
  if (producer == nodes.end()) return std::nullopt;
  const std::string& op = producer->op_type();
  if (op == "Constant" && producer->attribute_size() == 1) return values_of(producer->attribute(0).t());
  if (op == "Shape" && producer->attribute_size() == 0) return dims(producer->input(0));
  if (op == "Unsqueeze" || op == "Squeeze" || op == "Cast" || op == "Identity") {
    return integers_of(producer->input(0), depth + 1);
  }
  if (op == "Gather") {
    const auto data = integers_of(producer->input(0), depth + 1);
    const auto indices = integers_of(producer->input(1), depth + 1);
    if (!data || !indices) return std::nullopt;
    Dims gathered;
    for (const std::int64_t index : *indices) {
      const std::int64_t i = index < 0 ? index + static_cast<std::int64_t>(data->size()) : index;
      if (i < 0 || i >= static_cast<std::int64_t>(data->size())) return std::nullopt;
      gathered.push_back((*data)[static_cast<std::size_t>(i)]);
    }
    return gathered;
  }
  if (op == "Concat") {
    Dims joined;
    for (const std::string& input : producer->input()) {
      const auto part = integers_of(input, depth + 1);
      if (!part) return std::nullopt;
      joined.insert(joined.end(), part->begin(), part->end());
    }
    return joined;
  }
  return std::nullopt;
}

void OnnxGraph::find_constants() {
  for (const auto& tensor : model_->graph().initializer()) constants_.insert(tensor.name());
  for (const auto& node : model_->graph().node()) {
    const bool from_constants =
        std::all_of(node.input().begin(), node.input().end(),
                    [this](const std::string& name) { return name.empty() || is_constant(name); });
    // Shapes are fixed here, so what is computed from them is constant too.
    if (!from_constants && node.op_type() != "Shape" && node.op_type() != "Size") continue;
    for (const std::string& output : node.output()) constants_.insert(output);
  }
}

std::optional<Dims> OnnxGraph::dims(const std::string& tensor) const {
  const auto found = dims_.find(tensor);
  if (found == dims_.end()) return std::nullopt;
  return found->second;
}

Shape OnnxGraph::shape(const std::string& tensor, const onnx::NodeProto& node) const {
  const std::optional<Dims> sizes = dims(tensor);
  if (!sizes) fail(node, "the shape of '" + tensor + "' can't be inferred");
  if (sizes->empty() || sizes->front() != batch_) {
    fail(node, "the first dimension of '" + tensor + "' is not the batch (" + std::to_string(batch_) + ")");
  }
  const Dims& d = *sizes;
  if (d.size() <= 3) return {d.size() > 1 ? d[1] : 1, d.size() > 2 ? d[2] : 1, 1};
  const std::int64_t channels =
      std::accumulate(d.begin() + 1, d.end() - 2, std::int64_t{1}, std::multiplies<>());
  return {channels, d[d.size() - 2], d[d.size() - 1]};
}

void OnnxGraph::fail(const onnx::NodeProto& node, const std::string& message) const {
  const std::string name = !node.name().empty() ? node.name() : node.output_size() > 0 ? node.output(0) : "?";
  throw io::InputError(file_ + ": node '" + name + "' (" + node.op_type() + "): " + message);
}

}  // namespace fluidbatch::workloads
