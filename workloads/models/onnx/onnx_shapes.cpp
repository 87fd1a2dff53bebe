#include "workloads/models/onnx/onnx_shapes.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <sstream>

#include "workloads/models/onnx/onnx_axes.h"
#include "workloads/models/onnx/onnx_movement_shapes.h"
#include "workloads/models/onnx/onnx_product.h"
#include "workloads/models/onnx/onnx_window.h"

namespace fluidbatch::workloads {
namespace {

using Shapes = std::vector<Dims>;

Shapes same(const OnnxNode& node) { return {node.dims(0)}; }

Shapes broadcast_all(const OnnxNode& node) {
  Dims dims = node.dims(0);
  for (std::size_t i = 1; i < node.input_count(); ++i) dims = broadcast(node, dims, node.dims(i));
  return {dims};
}

Shapes product(const OnnxNode& node) { return {read_product(node).output}; }

// ---- windows

Shapes windowed(const OnnxNode& node, std::int64_t channels, const OnnxWindow& window) {
  Dims dims{node.dims(0)[0], channels, window.output[0]};
  if (node.dims(0).size() == 4) dims.push_back(window.output[1]);
  return {dims};
}

/// Sizes of the kernel of a convolution, after its two dimensions of channels.
Dims kernel_of(const OnnxNode& node) {
  const Dims& weights = node.dims(1);
  if (weights.size() != node.dims(0).size()) node.fail("its weights have as many dimensions as its input");
  if (weights.size() != 3 && weights.size() != 4) node.fail("one or two dimensions are supported");
  return {weights.begin() + 2, weights.end()};
}

Shapes convolution(const OnnxNode& node) {
  const Dims kernel = kernel_of(node);
  return windowed(node, node.dims(1)[0], read_window(node, kernel));
}

Shapes transposed_convolution(const OnnxNode& node) {
  const Dims kernel = kernel_of(node);
  const std::int64_t groups = node.integer("group", 1);
  if (groups < 1 || groups > kMostWords) node.fail("its groups must be from 1");
  const std::int64_t channels = words_of({node.dims(1)[1], groups});
  return windowed(node, channels, read_transposed_window(node, kernel));
}

Shapes pool(const OnnxNode& node) {
  const OnnxWindow window = read_window(node, node.integers("kernel_shape", {}));
  return windowed(node, node.dims(0)[1], window);
}

Shapes global_pool(const OnnxNode& node) {
  Dims dims = node.dims(0);
  if (dims.size() < 3) node.fail("its input has no positions to pool");
  std::fill(dims.begin() + 2, dims.end(), 1);
  return {dims};
}

Shapes resize(const OnnxNode& node) {
  Dims dims = node.dims(0);
  const bool first_version = node.op() == "Upsample" || node.opset() < 11;
  if (const auto sizes = first_version ? std::nullopt : node.whole_numbers(3); sizes && !sizes->empty()) {
    if (sizes->size() != dims.size()) node.fail("it has a size for each dimension");
    return {*sizes};
  }
  std::vector<double> scales = node.reals("scales");
  if (const auto given = node.numbers(first_version ? 1 : 2)) scales = given->values;
  if (scales.empty()) return {};
  if (scales.size() != dims.size()) node.fail("it has a scale for each dimension");
  for (std::size_t i = 0; i < dims.size(); ++i) {
    // In single precision, as ONNX Runtime and others compute it.
    const double size = std::floor(static_cast<float>(dims[i]) * static_cast<float>(scales[i]));
    if (!(size >= 1 && size <= static_cast<double>(kMostWords))) node.fail("its scales are out of range");
    dims[i] = static_cast<std::int64_t>(size);
  }
  return {dims};
}

// ---- reductions

Shapes reduced(const OnnxNode& node, const std::vector<std::size_t>& axes) {
  const bool kept = node.integer("keepdims", 1) != 0;
  Dims dims;
  for (std::size_t i = 0; i < node.dims(0).size(); ++i) {
    const bool gone = std::find(axes.begin(), axes.end(), i) != axes.end();
    if (!gone || kept) dims.push_back(gone ? 1 : node.dims(0)[i]);
  }
  return {dims};
}

Shapes reduction(const OnnxNode& node) {
  const auto axes = read_axes(node, node.dims(0).size(), {});
  if (!axes) return {};
  if (!axes->empty()) return reduced(node, *axes);
  if (node.integer("noop_with_empty_axes", 0) != 0) return same(node);
  std::vector<std::size_t> all(node.dims(0).size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  return reduced(node, all);
}

Shapes place_of_extreme(const OnnxNode& node) {
  return reduced(node, {node.axis(node.integer("axis", 0), node.dims(0).size())});
}

// ---- shapes as values

Shapes shape_of(const OnnxNode& node) {
  const auto rank = static_cast<std::int64_t>(node.dims(0).size());
  const auto place = [rank](std::int64_t index) {
    return std::clamp<std::int64_t>(index < 0 ? index + rank : index, 0, rank);
  };
  const std::int64_t count = place(node.integer("end", rank)) - place(node.integer("start", 0));
  return {{std::max<std::int64_t>(count, 0)}};
}

Shapes constant(const OnnxNode& node) {
  if (const onnx::TensorProto* value = node.tensor("value")) return {dims_of(*value)};
  if (node.has("value_ints")) return {{static_cast<std::int64_t>(node.integers("value_ints", {}).size())}};
  if (node.has("value_floats")) return {{static_cast<std::int64_t>(node.reals("value_floats").size())}};
  return node.has("value_int") || node.has("value_float") ? Shapes{Dims{}} : Shapes{};
}

Shapes constant_of_shape(const OnnxNode& node) {
  const auto target = node.whole_numbers(0);
  return target ? Shapes{*target} : Shapes{};
}

Shapes range(const OnnxNode& node) {
  const auto first = node.numbers(0);
  const auto limit = node.numbers(1);
  const auto step = node.numbers(2);
  for (const auto& number : {first, limit, step}) {
    if (!number || number->values.size() != 1) return {};
  }
  const double count = std::ceil((limit->values[0] - first->values[0]) / step->values[0]);
  if (std::isnan(count) || count > static_cast<double>(kMostWords)) node.fail("its range does not end");
  return {{static_cast<std::int64_t>(std::max(count, 0.0))}};
}

Shapes scalar(const OnnxNode& /*node*/) { return {Dims{}}; }

using Rule = Shapes (*)(const OnnxNode&);

/// Operators with the same rule, by name.
struct RuleGroup {
  Rule rule;
  const char* names;
};

const RuleGroup kRuleGroups[] = {
    {broadcast_all,
     "Add And Div Equal Greater GreaterOrEqual Less LessOrEqual Max Mean Min Mod Mul Or PRelu "
     "Pow Sub Sum Where Xor"},
    {constant, "Constant"},
    {constant_of_shape, "ConstantOfShape"},
    {convolution, "Conv"},
    {global_pool, "GlobalAveragePool GlobalLpPool GlobalMaxPool"},
    {movement::concat, "Concat"},
    {movement::expand, "Expand"},
    {movement::flatten, "Flatten"},
    {movement::gather, "Gather"},
    {movement::gather_elements, "GatherElements"},
    {movement::in_blocks, "DepthToSpace SpaceToDepth"},
    {movement::pad, "Pad"},
    {movement::reshape, "Reshape"},
    {movement::slice, "Slice"},
    {movement::split, "Split"},
    {movement::squeeze, "Squeeze"},
    {movement::tile, "Tile"},
    {movement::transpose, "Transpose"},
    {movement::unsqueeze, "Unsqueeze"},
    {place_of_extreme, "ArgMax ArgMin"},
    {pool, "AveragePool LpPool MaxPool"},
    {product, "Einsum Gemm MatMul"},
    {range, "Range"},
    {reduction,
     "ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd "
     "ReduceSum ReduceSumSquare"},
    {resize, "Resize Upsample"},
    {same,
     "Abs BatchNormalization Cast Ceil Celu Clip Cos CumSum Dropout Elu Erf Exp Floor Gelu "
     "GroupNormalization HardSigmoid HardSwish Identity InstanceNormalization IsInf IsNaN LRN "
     "LayerNormalization LeakyRelu Log LogSoftmax LpNormalization MeanVarianceNormalization Mish "
     "Neg Not Reciprocal Relu Round ScatterElements ScatterND Selu Sigmoid Sign Sin Softmax "
     "Softplus Softsign Sqrt Tanh ThresholdedRelu Trilu"},
    {scalar, "Size"},
    {shape_of, "Shape"},
    {transposed_convolution, "ConvTranspose"}};

std::map<std::string, Rule> make_rules() {
  std::map<std::string, Rule> rules;
  for (const RuleGroup& group : kRuleGroups) {
    std::istringstream names(group.names);
    for (std::string name; names >> name;) rules.emplace(name, group.rule);
  }
  return rules;
}

}  // namespace

std::vector<Dims> infer_shapes(const OnnxNode& node) {
  static const std::map<std::string, Rule> kRules = make_rules();
  const auto rule = kRules.find(node.op());
  return rule == kRules.end() ? Shapes{} : rule->second(node);
}

}  // namespace fluidbatch::workloads
