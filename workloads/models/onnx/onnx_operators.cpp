#include "workloads/models/onnx/onnx_operators.h"

#include <algorithm>
#include <map>
#include <sstream>
#include <utility>

#include "workloads/models/onnx/onnx_axes.h"
#include "workloads/models/onnx/onnx_window.h"

namespace fluidbatch::workloads {
namespace {

using io::Node;

// ---- windows

OnnxActivation image(OnnxLayers& layers, const OnnxNode& node) {
  return layers.viewed(node, layers.only_input(node), layers.image_shape(node, node.input_name(0)));
}

void import_convolution(OnnxLayers& layers, const OnnxNode& node) {
  if (!node.input(1).constant) node.fail("weights that are not constant are not supported");
  const OnnxActivation input = image(layers, node);
  const Dims& weights = node.dims(1);
  const std::int64_t groups = node.integer("group", 1);
  const bool transposed = node.op() == "ConvTranspose";
  const std::int64_t channels = transposed ? weights[0] : words_of({weights[1], groups});
  if (channels != input.shape.channels) {
    node.fail("its weights are for " + std::to_string(channels) + " input channels, not " +
              std::to_string(input.shape.channels));
  }
  const Dims kernel(weights.begin() + 2, weights.end());
  Node yaml = layers.begin(node, transposed ? "conv_transpose" : "conv", {input});
  yaml.put("out_channels", Node::integer(transposed ? words_of({weights[1], groups}) : weights[0]));
  put_window(yaml, transposed ? read_transposed_window(node, kernel) : read_window(node, kernel));
  if (groups != 1) yaml.put("groups", Node::integer(groups));
  layers.add(node, std::move(yaml));
}

void import_pool(OnnxLayers& layers, const OnnxNode& node) {
  Node yaml = layers.begin(node, "pool", {image(layers, node)});
  put_window(yaml, read_window(node, node.integers("kernel_shape", {})));
  layers.add(node, std::move(yaml));
}

void import_global_pool(OnnxLayers& layers, const OnnxNode& node) {
  layers.add(node, layers.begin(node, "global_pool", {image(layers, node)}));
}

void import_resize(OnnxLayers& layers, const OnnxNode& node) {
  const OnnxActivation input = image(layers, node);
  const Shape output = layers.image_shape(node, node.outputs().front());
  if (output == input.shape) return layers.set_from(node, node.outputs().front(), input);
  if (output.channels != input.shape.channels) node.fail("it may change height and width only");
  Node yaml = layers.begin(node, "resize", {input});
  yaml.put("size", list_of({output.height, output.width}));
  layers.add(node, std::move(yaml));
}

// ---- element by element

/// Activations and normalisations ride with the layer before them, as in hardware; and the same words in
/// another order or shape are the same activation.
void import_fused(OnnxLayers& layers, const OnnxNode& node) {
  layers.set_from(node, node.outputs().front(), layers.only_input(node));
}

/// What an operand of an element-wise layer is seen as: one like `base`, one value for each of its channels
/// or positions, or a single one.
Shape aligned(const OnnxActivation& operand, const Shape& base) {
  if (operand.words == base.words()) return base;
  if (operand.words == base.channels) return {base.channels, 1, 1};
  if (operand.words == base.height * base.width) return {1, base.height, base.width};
  return operand.words == 1 ? Shape{1, 1, 1} : base;
}

/// Several layers' outputs element by element. What is computed from one layer alone (a sigmoid times its
/// argument, a layer normalisation), or with constants, is fused.
void import_element_wise(OnnxLayers& layers, const OnnxNode& node, const std::string& kind) {
  std::vector<OnnxActivation> operands = layers.inputs(node);
  std::stable_sort(operands.begin(), operands.end(),
                   [](const OnnxActivation& a, const OnnxActivation& b) { return a.words > b.words; });
  if (operands.size() == 1) return layers.set_from(node, node.outputs().front(), operands.front());
  const Dims dims = layers.sample_dims(node, node.outputs().front());
  OnnxActivation& base = operands.front();
  const bool fits = base.is_whole() && base.words == words_of(dims);
  if (!fits) base = layers.viewed(node, base, OnnxLayers::shape_like(base, dims));
  for (OnnxActivation& operand : operands) {
    operand = layers.viewed(node, operand, aligned(operand, base.shape));
  }
  layers.add(node, layers.begin(node, kind, operands));
}

void import_sum(OnnxLayers& layers, const OnnxNode& node) { import_element_wise(layers, node, "add"); }
void import_product_of_elements(OnnxLayers& layers, const OnnxNode& node) {
  import_element_wise(layers, node, "mul");
}

// ---- reductions

/// Over the channels of each position it is a statistic, computed as the words pass by: fused. Any other is
/// pooling over all positions.
void import_reduction(OnnxLayers& layers, const OnnxNode& node) {
  const OnnxActivation input = layers.only_input(node);
  const std::string output = node.outputs().front();
  const std::int64_t words = words_of(layers.sample_dims(node, output));
  const Shape& shape = input.shape;
  if (words == input.words) return layers.set(output, input);
  if (!input.is_whole() || (words == shape.height * shape.width && words != shape.channels)) {
    return layers.set(output, {input.layer, shape, words});
  }
  const OnnxActivation channels = layers.as_channels(node, input, words, input.words / words);
  layers.add(node, layers.begin(node, "global_pool", {channels}));
}

// ---- words elsewhere

/// A part of the words, or more of them (padding, repeated ones), costs nothing where the next layer fetches
/// words from where they are.
void import_part(OnnxLayers& layers, const OnnxNode& node) {
  const std::vector<OnnxActivation> inputs = layers.inputs(node);
  if (inputs.empty()) node.fail("an input that is not constant is needed");
  for (const std::string& output : node.outputs()) {
    if (!output.empty()) layers.set_from(node, output, inputs.front());
  }
}

/// Side by side along an axis, which are the channels here. Constant parts (a class token) are padding.
void import_concat(OnnxLayers& layers, const OnnxNode& node) {
  const std::string output = node.outputs().front();
  const Dims dims = layers.sample_dims(node, output);
  const std::size_t axis = node.axis(node.integer("axis", 1), dims.size());
  const std::int64_t positions = words_of(dims) / dims[axis];
  std::vector<OnnxActivation> parts;
  std::vector<std::int64_t> channels;
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    if (node.input(i).constant) continue;
    parts.push_back(layers.input(node, i));
    channels.push_back(node.dims(i)[axis]);
  }
  if (parts.size() == 1) return layers.set_from(node, output, parts.front());
  const Shape first = parts.front().shape;
  bool fit = first.height * first.width == positions;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    fit = fit && parts[i].is_whole() && parts[i].shape == Shape{channels[i], first.height, first.width};
  }
  for (std::size_t i = 0; i < parts.size() && !fit; ++i) {
    parts[i] = layers.viewed(node, parts[i], {channels[i], positions, 1});
  }
  layers.set_from(node, output, layers.append(node, layers.begin(node, "concat", parts)));
}

/// Operators that are imported in the same way, by name.
struct OperatorGroup {
  OnnxOperator import;
  const char* names;
};

const OperatorGroup kOperatorGroups[] = {
    {import_concat, "Concat"},
    {import_convolution, "Conv ConvTranspose"},
    {import_fused,
     "Abs BatchNormalization Cast Ceil Celu Clip Cos CumSum DepthToSpace Dropout Elu Erf Exp "
     "Flatten Floor Gelu GroupNormalization HardSigmoid HardSwish Identity InstanceNormalization "
     "LRN LayerNormalization LeakyRelu Log LogSoftmax LpNormalization MeanVarianceNormalization "
     "Mish Neg Not PRelu Reciprocal Relu Reshape Round Selu Sigmoid Sign Sin Softmax Softplus "
     "Softsign SpaceToDepth Sqrt Squeeze Tanh ThresholdedRelu Transpose Trilu Unsqueeze"},
    {import_global_pool, "GlobalAveragePool GlobalLpPool GlobalMaxPool"},
    {import_part, "Expand Gather GatherElements Pad Slice Split Tile"},
    {import_pool, "AveragePool LpPool MaxPool"},
    {import_product, "Einsum Gemm MatMul"},
    {import_product_of_elements, "Div Mod Mul Pow"},
    {import_reduction,
     "ArgMax ArgMin ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean "
     "ReduceMin ReduceProd ReduceSum ReduceSumSquare"},
    {import_resize, "Resize Upsample"},
    {import_sum, "Add And Equal Greater GreaterOrEqual Less LessOrEqual Max Mean Min Or Sub Sum Where Xor"}};

std::map<std::string, OnnxOperator> make_operators() {
  std::map<std::string, OnnxOperator> operators;
  for (const OperatorGroup& group : kOperatorGroups) {
    std::istringstream names(group.names);
    for (std::string name; names >> name;) operators.emplace(name, group.import);
  }
  return operators;
}

/// The axes that the node cuts, joins or moves.
std::vector<std::size_t> axes_changed(const OnnxNode& node) {
  const std::size_t rank = node.dims(0).size();
  const std::string& op = node.op();
  if (op == "Concat") return {node.axis(node.integer("axis", 1), rank)};
  if (op == "Split" || op == "Gather" || op == "GatherElements" || op == "ArgMax" || op == "ArgMin") {
    return {node.axis(node.integer("axis", 0), rank)};
  }
  if (op.starts_with("Reduce")) return read_axes(node, rank, {0}).value_or(std::vector<std::size_t>{0});
  std::vector<std::size_t> axes;
  if (op == "Transpose" && node.integers("perm", {-1}).front() != 0) axes.push_back(0);
  if (op == "Slice") {
    for (const SliceRange& range : read_slice(node).value_or(std::vector<SliceRange>{}))
      axes.push_back(range.axis);
  }
  return axes;
}

}  // namespace

void import_node(OnnxLayers& layers, const OnnxNode& node) {
  static const std::map<std::string, OnnxOperator> kOperators = make_operators();
  const auto found = kOperators.find(node.op());
  if (found == kOperators.end()) node.fail("this operator is not supported");
  if (layers.batch() > 1 && node.input_count() > 0 && !node.input(0).constant) {
    const std::vector<std::size_t> axes = axes_changed(node);
    if (std::find(axes.begin(), axes.end(), 0) != axes.end()) {
      node.fail("it cuts, joins or moves the batch (" + std::to_string(layers.batch()) +
                "); export the model for a batch of 1");
    }
  }
  found->second(layers, node);
}

}  // namespace fluidbatch::workloads
