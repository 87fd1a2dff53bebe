// MatMul, Gemm and Einsum as layers.
#include <utility>

#include "workloads/models/onnx/onnx_operators.h"
#include "workloads/models/onnx/onnx_product.h"

namespace fluidbatch::workloads {
namespace {

using io::Node;

/// The same product with the operands' parts exchanged: its result is the transposed one.
OnnxProduct exchanged(OnnxProduct product) {
  std::swap(product.left_groups, product.right_groups);
  std::swap(product.rows, product.columns);
  return product;
}

/// What a fixed batch takes a part in, for one sample.
std::int64_t per_sample(const OnnxLayers& layers, const OnnxNode& node, std::int64_t count) {
  if (count % layers.batch() != 0) {
    node.fail("the batch (" + std::to_string(layers.batch()) +
              ") is not a dimension of its own in it; export the model for a batch of 1");
  }
  return count / layers.batch();
}

/// Rows by weights that are the same for each of them: a dense layer where a sample has one row, otherwise a
/// 1 x 1 convolution over rows (tokens, or positions). Weights of several groups are grouped ones.
void add_weighted(OnnxLayers& layers, const OnnxNode& node, const OnnxActivation& input,
                  const OnnxProduct& product) {
  const bool shared = product.right_groups == 1;
  const std::int64_t groups = shared ? 1 : product.groups;
  if (!shared && layers.batch() > 1) node.fail("weights of several groups are supported for a batch of 1");
  const std::int64_t rows = per_sample(layers, node, product.rows * (shared ? product.groups : 1));
  if (groups == 1 && rows == 1) {
    const OnnxActivation whole = input.is_whole() ? input : layers.viewed(node, input, {product.depth, 1, 1});
    Node yaml = layers.begin(node, "dense", {whole});
    yaml.put("out_channels", Node::integer(product.columns));
    return layers.add(node, std::move(yaml));
  }
  const OnnxActivation channels = layers.as_channels(node, input, groups * product.depth, rows);
  Node yaml = layers.begin(node, "conv", {channels});
  yaml.put("out_channels", Node::integer(groups * product.columns));
  if (groups > 1) yaml.put("groups", Node::integer(groups));
  layers.add(node, std::move(yaml));
}

/// A product of two activations; a side that several groups share makes them one product of more rows.
void add_matmul(OnnxLayers& layers, const OnnxNode& node, OnnxActivation left, OnnxActivation right,
                OnnxProduct product) {
  if (layers.batch() > 1) {
    if (product.left_groups != product.groups || product.right_groups != product.groups) {
      node.fail("the batch is not a dimension of both operands; export the model for a batch of 1");
    }
    product.groups = per_sample(layers, node, product.groups);
    product.left_groups = product.right_groups = product.groups;
  }
  if (product.left_groups == 1 && product.right_groups > 1) {
    product = exchanged(product);
    std::swap(left, right);
  }
  if (product.right_groups == 1) {
    product.rows *= product.groups;
    product.groups = 1;
  }
  const auto with_words = [&](const OnnxActivation& operand, std::int64_t vectors) {
    const std::int64_t words = product.groups * product.depth * vectors;
    const bool fits = operand.is_whole() && operand.words == words;
    return fits ? operand : layers.viewed(node, operand, {product.groups * product.depth, vectors, 1});
  };
  const OnnxActivation rows = with_words(left, product.rows);
  const OnnxActivation columns = with_words(right, product.columns);
  Node yaml = layers.begin(node, "matmul", {rows, columns});
  if (product.groups > 1) yaml.put("groups", Node::integer(product.groups));
  yaml.put("depth", Node::integer(product.depth));
  layers.add(node, std::move(yaml));
}

}  // namespace

void import_product(OnnxLayers& layers, const OnnxNode& node) {
  const OnnxProduct product = read_product(node);
  const bool fixed_batch = layers.batch() > 1;
  if (fixed_batch && node.integer("transA", 0) != 0) node.fail("a transposed batch is not supported");
  if (node.has_input(2) && !node.input(2).constant)
    node.fail("an addend that is not constant is not supported");
  const bool weights_left = node.input(0).constant;
  if (weights_left) return add_weighted(layers, node, layers.input(node, 1), exchanged(product));
  if (node.input(1).constant) return add_weighted(layers, node, layers.input(node, 0), product);
  if (fixed_batch && node.dims(0).size() < 3) node.fail("a product across the batch is not supported");
  add_matmul(layers, node, layers.input(node, 0), layers.input(node, 1), product);
}

}  // namespace fluidbatch::workloads
