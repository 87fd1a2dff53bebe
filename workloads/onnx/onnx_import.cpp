#include "workloads/onnx/onnx_import.h"

#include <algorithm>
#include <functional>
#include <map>
#include <onnx/onnx_pb.h>
#include <set>

#include "workloads/network_builder.h"
#include "workloads/onnx/added_exit.h"
#include "workloads/onnx/onnx_graph.h"
#include "workloads/onnx/onnx_window.h"

namespace fluidbatch::workloads {
namespace {

using io::Node;
using onnx::NodeProto;

// Element-wise on one activation, or a normalisation: rides with the layer before it, as in hardware.
const std::set<std::string> kFused{"BatchNormalization",
                                   "Cast",
                                   "Ceil",
                                   "Clip",
                                   "Dropout",
                                   "Elu",
                                   "Erf",
                                   "Exp",
                                   "Floor",
                                   "Gelu",
                                   "HardSigmoid",
                                   "HardSwish",
                                   "Identity",
                                   "InstanceNormalization",
                                   "LRN",
                                   "LeakyRelu",
                                   "Log",
                                   "LogSoftmax",
                                   "MeanVarianceNormalization",
                                   "Mish",
                                   "Neg",
                                   "PRelu",
                                   "Reciprocal",
                                   "Relu",
                                   "Selu",
                                   "Sigmoid",
                                   "Softmax",
                                   "Softplus",
                                   "Softsign",
                                   "Sqrt",
                                   "Tanh",
                                   "ThresholdedRelu",
                                   "Abs",
                                   "Round"};

// Renames, cuts or pads words; costs nothing where the next layer fetches them from where they are.
const std::set<std::string> kViews{"Flatten",   "Gather",       "Pad",         "Reshape",
                                   "Slice",     "Split",        "Squeeze",     "Transpose",
                                   "Unsqueeze", "DepthToSpace", "SpaceToDepth"};

class Importer {
 public:
  Importer(const OnnxGraph& graph, const OnnxImportOptions& options)
      : graph_(graph), options_(options), input_shape_(input_shape()), builder_(input_shape_) {
    tensors_[graph.input()] = {"input", input_shape_};
    names_.insert("input");
  }

  Node run() {
    for (const NodeProto* node : graph_.nodes()) {
      const bool computed_before = std::all_of(node->output().begin(), node->output().end(),
                                               [this](const auto& name) { return graph_.is_constant(name); });
      if (!computed_before) import(*node);
    }
    Node yaml = Node::map();
    yaml.put("name", Node::text(options_.name));
    yaml.put("source",
             Node::text("imported from " + std::filesystem::path(graph_.file()).filename().string()));
    yaml.put("input", list_of({input_shape_.channels, input_shape_.height, input_shape_.width}));
    yaml.put("layers", layers_);
    if (!options_.exits_after.empty()) yaml.put("exits", exits());
    return yaml;
  }

 private:
  /// An activation: the layer that computes it, and its shape.
  struct Tensor {
    std::string layer;
    Shape shape;
  };

  [[nodiscard]] Shape input_shape() const { return graph_.shape(graph_.input(), NodeProto()); }

  void import(const NodeProto& node) {
    static const std::map<std::string, void (Importer::*)(const NodeProto&)> kOperators{
        {"Conv", &Importer::import_convolution},
        {"Gemm", &Importer::import_gemm},
        {"MatMul", &Importer::import_matmul},
        {"MaxPool", &Importer::import_pool},
        {"AveragePool", &Importer::import_pool},
        {"LpPool", &Importer::import_pool},
        {"GlobalAveragePool", &Importer::import_global_pool},
        {"GlobalMaxPool", &Importer::import_global_pool},
        {"ReduceMean", &Importer::import_reduction},
        {"ReduceMax", &Importer::import_reduction},
        {"Add", &Importer::import_sum},
        {"Sum", &Importer::import_sum},
        {"Sub", &Importer::import_sum},
        {"Max", &Importer::import_sum},
        {"Min", &Importer::import_sum},
        {"Mean", &Importer::import_sum},
        {"Mul", &Importer::import_product},
        {"Div", &Importer::import_product},
        {"Pow", &Importer::import_product},
        {"Concat", &Importer::import_concat}};
    const std::string& op = node.op_type();
    if (const auto found = kOperators.find(op); found != kOperators.end())
      return (this->*found->second)(node);
    if (kFused.contains(op)) return fuse(node);
    if (kViews.contains(op)) return import_view(node);
    graph_.fail(node, "this operator is not supported");
  }

  // ---- tensors and layers
  // -----------------------------------------------------------------------------------

  [[nodiscard]] const Tensor& activation(const NodeProto& node, const std::string& name) const {
    const auto found = tensors_.find(name);
    if (found == tensors_.end()) graph_.fail(node, "its input '" + name + "' comes from nowhere");
    return found->second;
  }

  /// The node's inputs that are not constant, each layer once.
  [[nodiscard]] std::vector<Tensor> activations(const NodeProto& node) const {
    std::vector<Tensor> found;
    for (const std::string& name : node.input()) {
      if (name.empty() || graph_.is_constant(name)) continue;
      const Tensor& tensor = activation(node, name);
      const bool seen =
          std::any_of(found.begin(), found.end(), [&](const Tensor& t) { return t.layer == tensor.layer; });
      if (!seen) found.push_back(tensor);
    }
    return found;
  }

  [[nodiscard]] Tensor only_activation(const NodeProto& node) const {
    const std::vector<Tensor> found = activations(node);
    if (found.size() != 1) graph_.fail(node, "one input that is not constant is supported");
    return found.front();
  }

  [[nodiscard]] Dims weight_dims(const NodeProto& node, int index) const {
    if (node.input_size() <= index || !graph_.is_constant(node.input(index))) {
      graph_.fail(node, "a product of two activations is not supported");
    }
    const auto dims = graph_.dims(node.input(index));
    if (!dims) graph_.fail(node, "the shape of its weights '" + node.input(index) + "' can't be inferred");
    return *dims;
  }

  /// A name for the node's layer that is good in YAML, CSV and on a command line.
  std::string new_name(const NodeProto& node) {
    std::string name = node.name().empty() ? node.output(0) : node.name();
    for (char& c : name) {
      const bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                        c == '_' || c == '-' || c == '.' || c == '/';
      if (!good) c = '_';
    }
    std::string unique = name;
    for (int i = 2; names_.contains(unique); ++i) unique = name + "_" + std::to_string(i);
    names_.insert(unique);
    return unique;
  }

  /// Begins a layer that reads `inputs`.
  Node layer(const NodeProto& node, const std::string& kind, const std::vector<Tensor>& inputs) {
    Node yaml = Node::map();
    yaml.flow = true;
    yaml.put("name", Node::text(new_name(node)));
    yaml.put("kind", Node::text(kind));
    if (inputs.size() > 1) {
      Node from = Node::sequence();
      for (const Tensor& input : inputs) from.items.push_back(Node::text(input.layer));
      yaml.put("from", std::move(from));
    } else if (inputs.front().layer != builder_.last()) {
      yaml.put("from", Node::text(inputs.front().layer));
    }
    return yaml;
  }

  /// Adds a finished layer and checks it against the shape that ONNX infers for the node.
  void add(const NodeProto& node, Node yaml) {
    try {
      builder_.add_layer(yaml);
    } catch (const io::InputError& error) {
      graph_.fail(node, error.what());
    }
    const Shape expected = graph_.shape(node.output(0), node);
    if (!(builder_.last_shape() == expected)) {
      graph_.fail(
          node, "its output would be " + text(builder_.last_shape()) + ", the model says " + text(expected));
    }
    tensors_[node.output(0)] = {builder_.last(), expected};
    layers_.items.push_back(std::move(yaml));
  }

  static std::string text(const Shape& s) {
    return std::to_string(s.channels) + " x " + std::to_string(s.height) + " x " + std::to_string(s.width);
  }

  /// The node's output is its input, computed by the same layer.
  void fuse(const NodeProto& node) {
    const Tensor input = only_activation(node);
    if (!(graph_.shape(node.output(0), node) == input.shape))
      graph_.fail(node, "it changes the shape of its input");
    tensors_[node.output(0)] = input;
  }

  // ---- operators
  // --------------------------------------------------------------------------------------------

  void import_convolution(const NodeProto& node) {
    const Tensor input = only_activation(node);
    const Dims weights = weight_dims(node, 1);
    if (weights.size() != 3 && weights.size() != 4) graph_.fail(node, "one or two dimensions are supported");
    Node yaml = layer(node, "conv", {input});
    yaml.put("out_channels", Node::integer(weights[0]));
    put_window(yaml, read_window(graph_, node, input.shape, Dims(weights.begin() + 2, weights.end())));
    const std::int64_t groups = integer(node, "group", 1);
    if (groups != 1) yaml.put("groups", Node::integer(groups));
    if (weights[1] * groups != input.shape.channels) {
      graph_.fail(node, "its weights are for " + std::to_string(weights[1] * groups) +
                            " input channels, not " + std::to_string(input.shape.channels));
    }
    add(node, std::move(yaml));
  }

  void add_dense(const NodeProto& node, std::int64_t inputs, std::int64_t outputs) {
    const Tensor input = only_activation(node);
    if (input.shape.words() != inputs) {
      graph_.fail(node, "its weights are for " + std::to_string(inputs) + " words a sample, not " +
                            std::to_string(input.shape.words()) + ": a product per row is not supported");
    }
    Node yaml = layer(node, "dense", {input});
    yaml.put("out_channels", Node::integer(outputs));
    add(node, std::move(yaml));
  }

  void import_gemm(const NodeProto& node) {
    if (integer(node, "transA", 0) != 0) graph_.fail(node, "a transposed activation is not supported");
    const Dims weights = weight_dims(node, 1);
    if (weights.size() != 2) graph_.fail(node, "its weights are not a matrix");
    const bool transposed = integer(node, "transB", 0) != 0;
    add_dense(node, transposed ? weights[1] : weights[0], transposed ? weights[0] : weights[1]);
  }

  void import_matmul(const NodeProto& node) {
    const Dims weights = weight_dims(node, 1);
    if (weights.size() != 2) graph_.fail(node, "its weights are not a matrix");
    add_dense(node, weights[0], weights[1]);
  }

  void import_pool(const NodeProto& node) {
    const Tensor input = only_activation(node);
    Node yaml = layer(node, "pool", {input});
    put_window(yaml, read_window(graph_, node, input.shape, integers(node, "kernel_shape", {})));
    add(node, std::move(yaml));
  }

  void import_global_pool(const NodeProto& node) {
    add(node, layer(node, "global_pool", {only_activation(node)}));
  }

  /// A mean over all positions is global pooling; where it also drops them, shapes are the same to us.
  void import_reduction(const NodeProto& node) {
    const Tensor input = only_activation(node);
    if (!(graph_.shape(node.output(0), node) == Shape{input.shape.channels, 1, 1})) {
      graph_.fail(node, "a reduction over all positions, and nothing else, is supported");
    }
    import_global_pool(node);
  }

  /// Several activations element by element; with one and constants it is fused.
  void import_element_wise(const NodeProto& node, const std::string& kind) {
    std::vector<Tensor> inputs = activations(node);
    if (inputs.size() == 1) return fuse(node);
    std::stable_sort(inputs.begin(), inputs.end(),
                     [](const Tensor& a, const Tensor& b) { return a.shape.words() > b.shape.words(); });
    add(node, layer(node, kind, inputs));
  }

  void import_sum(const NodeProto& node) { import_element_wise(node, "add"); }
  void import_product(const NodeProto& node) { import_element_wise(node, "mul"); }

  void import_concat(const NodeProto& node) {
    std::vector<Tensor> inputs;
    for (const std::string& name : node.input()) {
      if (graph_.is_constant(name)) graph_.fail(node, "a constant part is not supported");
      inputs.push_back(activation(node, name));
    }
    const auto dims = graph_.dims(node.output(0));
    const std::int64_t axis = integer(node, "axis", 1);
    if (axis != 1 && !(dims && axis + static_cast<std::int64_t>(dims->size()) == 1)) {
      graph_.fail(node, "only channels can be put side by side (axis 1), found axis " + std::to_string(axis));
    }
    if (inputs.size() == 1) return fuse(node);
    add(node, layer(node, "concat", inputs));
  }

  void import_view(const NodeProto& node) {
    const Tensor input = only_activation(node);
    for (const std::string& output : node.output()) {
      const Shape shape = graph_.shape(output, node);
      if (shape == input.shape) {
        tensors_[output] = input;
        continue;
      }
      Node yaml = layer(node, "view", {input});
      yaml.put("shape", list_of({shape.channels, shape.height, shape.width}));
      builder_.add_layer(yaml);
      tensors_[output] = {builder_.last(), shape};
      layers_.items.push_back(std::move(yaml));
    }
  }

  // ---- early exits
  // ------------------------------------------------------------------------------------------

  /// The layer that a user names: by its own name, or by a tensor's or node's of the model.
  [[nodiscard]] std::string exit_layer(const std::string& name) const {
    if (names_.contains(name)) return name;
    if (const auto found = tensors_.find(name); found != tensors_.end()) return found->second.layer;
    for (const NodeProto* node : graph_.nodes()) {
      if (node->name() == name && tensors_.contains(node->output(0)))
        return tensors_.at(node->output(0)).layer;
    }
    throw io::InputError("--exits: the network has no layer '" + name + "'" +
                         io::did_you_mean(name, {names_.begin(), names_.end()}));
  }

  [[nodiscard]] Node exits() const {
    std::set<std::string> wanted;
    for (const std::string& name : options_.exits_after) wanted.insert(exit_layer(name));
    std::vector<std::string> places;
    for (const Node& yaml : layers_.items) {  // in order of execution
      const std::string& name = yaml.find("name")->scalar;
      if (wanted.contains(name)) places.push_back(name);
    }
    Node exits = Node::sequence();
    for (const std::string& place : places) {
      exits.items.push_back(exit_with_head("exit" + std::to_string(exits.items.size() + 1), place,
                                           builder_.last_shape().words()));
    }
    return exits;
  }

  const OnnxGraph& graph_;
  const OnnxImportOptions& options_;
  Shape input_shape_;
  NetworkBuilder builder_;
  Node layers_ = Node::sequence();
  std::map<std::string, Tensor> tensors_;
  std::set<std::string> names_;
};

}  // namespace

io::Node import_onnx(const std::filesystem::path& model, const OnnxImportOptions& options) {
  const OnnxGraph graph(model, options.height_width);
  return Importer(graph, options).run();
}

}  // namespace fluidbatch::workloads
