#include "workloads/models/onnx/onnx_product.h"

#include <algorithm>
#include <map>
#include <set>

#include "workloads/models/onnx/onnx_axes.h"

namespace fluidbatch::workloads {
namespace {

void require_depth(const OnnxNode& node, std::int64_t left, std::int64_t right) {
  if (left != right) {
    node.fail("it multiplies rows of " + std::to_string(left) + " by columns of " + std::to_string(right));
  }
}

OnnxProduct read_gemm(const OnnxNode& node) {
  Dims left = node.dims(0);
  Dims right = node.dims(1);
  if (left.size() != 2 || right.size() != 2) node.fail("its operands are not matrices");
  if (node.integer("transA", 0) != 0) std::swap(left[0], left[1]);
  if (node.integer("transB", 0) != 0) std::swap(right[0], right[1]);
  require_depth(node, left[1], right[0]);
  OnnxProduct product;
  product.rows = left[0];
  product.depth = left[1];
  product.columns = right[1];
  product.output = {left[0], right[1]};
  return product;
}

OnnxProduct read_matmul(const OnnxNode& node) {
  Dims left = node.dims(0);
  Dims right = node.dims(1);
  if (left.empty() || right.empty()) node.fail("its operands are not matrices");
  const bool row = left.size() == 1;
  const bool column = right.size() == 1;
  if (row) left.insert(left.begin(), 1);
  if (column) right.push_back(1);
  const Dims left_groups(left.begin(), left.end() - 2);
  const Dims right_groups(right.begin(), right.end() - 2);
  OnnxProduct product;
  product.output = broadcast(node, left_groups, right_groups);
  product.groups = words_of(product.output);
  product.left_groups = words_of(left_groups);
  product.right_groups = words_of(right_groups);
  product.rows = left[left.size() - 2];
  product.depth = left.back();
  product.columns = right.back();
  require_depth(node, product.depth, right[right.size() - 2]);
  if (!row) product.output.push_back(product.rows);
  if (!column) product.output.push_back(product.columns);
  return product;
}

/// The subscripts of an Einsum's operand or result. Throws InputError where there are others than letters,
/// each once.
std::string read_subscripts(const OnnxNode& node, std::string text) {
  text.erase(std::remove(text.begin(), text.end(), ' '), text.end());
  const bool letters =
      text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == std::string::npos;
  if (!letters || std::set<char>(text.begin(), text.end()).size() != text.size()) {
    node.fail("the product of two operands with different letters each is supported, found '" + text + "'");
  }
  return text;
}

OnnxProduct read_einsum(const OnnxNode& node) {
  const std::string equation = node.text("equation", "");
  const std::size_t comma = equation.find(',');
  const std::size_t arrow = equation.find("->");
  if (comma == std::string::npos || arrow == std::string::npos || comma > arrow || node.input_count() != 2) {
    node.fail("a batched matrix product such as 'bhid,bhjd->bhij' is supported, found '" + equation + "'");
  }
  const std::string left = read_subscripts(node, equation.substr(0, comma));
  const std::string right = read_subscripts(node, equation.substr(comma + 1, arrow - comma - 1));
  const std::string output = read_subscripts(node, equation.substr(arrow + 2));
  std::map<char, std::int64_t> sizes;
  const auto take_sizes = [&](const std::string& letters, const Dims& dims) {
    if (letters.size() != dims.size())
      node.fail("'" + letters + "' does not name each dimension of its operand");
    for (std::size_t i = 0; i < letters.size(); ++i) {
      if (sizes.emplace(letters[i], dims[i]).first->second != dims[i]) {
        node.fail(std::string("'") + letters[i] + "' has two sizes");
      }
    }
  };
  take_sizes(left, node.dims(0));
  take_sizes(right, node.dims(1));
  OnnxProduct product;
  for (const auto& [letter, size] : sizes) {
    const bool of_left = left.find(letter) != std::string::npos;
    const bool of_right = right.find(letter) != std::string::npos;
    const bool kept = output.find(letter) != std::string::npos;
    if (!kept && !(of_left && of_right)) node.fail("it sums over one operand alone");
    std::int64_t& extent = !kept                 ? product.depth
                           : of_left && of_right ? product.groups
                           : of_left             ? product.rows
                                                 : product.columns;
    extent *= size;
  }
  for (const char letter : output) {
    if (!sizes.contains(letter)) node.fail(std::string("'") + letter + "' has no size");
    product.output.push_back(sizes.at(letter));
  }
  product.left_groups = product.right_groups = product.groups;
  return product;
}

}  // namespace

OnnxProduct read_product(const OnnxNode& node) {
  if (node.op() == "Gemm") return read_gemm(node);
  return node.op() == "MatMul" ? read_matmul(node) : read_einsum(node);
}

}  // namespace fluidbatch::workloads
