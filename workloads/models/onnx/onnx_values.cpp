#include "workloads/models/onnx/onnx_values.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <onnx/onnx_pb.h>

#include "workloads/models/onnx/onnx_axes.h"

namespace fluidbatch::workloads {
namespace {

using Numbers = std::optional<OnnxNumbers>;

// ---- element by element

using Unary = double (*)(double);

Numbers unary(const OnnxNode& node, Unary function) {
  Numbers numbers = node.numbers(0);
  if (numbers)
    std::transform(numbers->values.begin(), numbers->values.end(), numbers->values.begin(), function);
  return numbers;
}

/// Distance in memory between neighbours along each dimension.
Dims strides_of(const Dims& dims) {
  Dims strides(dims.size(), 1);
  for (std::size_t i = dims.size(); i-- > 1;) strides[i - 1] = strides[i] * dims[i];
  return strides;
}

/// For each element of a tensor of sizes `to`, in order, the index of the element of another one that it is:
/// `first`, and so many further for each step along a dimension.
std::vector<std::size_t> walk(const Dims& to, const Dims& steps, std::int64_t first) {
  std::vector<std::int64_t> indices{first};
  for (std::size_t i = 0; i < to.size(); ++i) {
    std::vector<std::int64_t> finer;
    for (const std::int64_t index : indices) {
      for (std::int64_t k = 0; k < to[i]; ++k) finer.push_back(index + k * steps[i]);
    }
    indices = std::move(finer);
  }
  return {indices.begin(), indices.end()};
}

/// The same for a tensor of sizes `from` that is repeated to `to`.
std::vector<std::size_t> repeated(const Dims& from, const Dims& to) {
  Dims steps(to.size(), 0);
  const Dims strides = strides_of(from);
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (from[i] != 1) steps[i + to.size() - from.size()] = strides[i];
  }
  return walk(to, steps, 0);
}

OnnxNumbers picked(const OnnxNumbers& from, const std::vector<std::size_t>& indices) {
  OnnxNumbers numbers{{}, from.whole};
  for (const std::size_t index : indices) numbers.values.push_back(from.values.at(index));
  return numbers;
}

using Binary = double (*)(double, double);

Numbers binary(const OnnxNode& node, const Dims& dims, Binary function) {
  Numbers result;
  for (std::size_t input = 0; input < node.input_count(); ++input) {
    const Numbers numbers = node.numbers(input);
    if (!numbers) return std::nullopt;
    const std::vector<std::size_t> from = repeated(node.dims(input), dims);
    if (!result) result = OnnxNumbers{std::vector<double>(from.size()), numbers->whole};
    for (std::size_t i = 0; i < from.size(); ++i) {
      const double value = numbers->values[from[i]];
      result->values[i] = input == 0 ? value : function(result->values[i], value);
    }
  }
  return result;
}

Numbers divide(const OnnxNode& node, const Dims& dims) {
  Numbers result = binary(node, dims, [](double a, double b) { return a / b; });
  if (result && result->whole) {
    for (double& value : result->values) value = std::trunc(value);
  }
  return result;
}

Numbers compare(const OnnxNode& node, const Dims& dims, Binary function) {
  Numbers result = binary(node, dims, function);
  if (result) result->whole = true;
  return result;
}

Numbers where(const OnnxNode& node, const Dims& dims) {
  const Numbers condition = node.numbers(0);
  const Numbers yes = node.numbers(1);
  const Numbers no = node.numbers(2);
  if (!condition || !yes || !no) return std::nullopt;
  const auto choice = repeated(node.dims(0), dims);
  const auto from_yes = repeated(node.dims(1), dims);
  const auto from_no = repeated(node.dims(2), dims);
  OnnxNumbers result{{}, yes->whole};
  for (std::size_t i = 0; i < choice.size(); ++i) {
    result.values.push_back(condition->values[choice[i]] != 0 ? yes->values[from_yes[i]]
                                                              : no->values[from_no[i]]);
  }
  return result;
}

Numbers expand(const OnnxNode& node, const Dims& dims) {
  const Numbers numbers = node.numbers(0);
  if (!numbers) return std::nullopt;
  return picked(*numbers, repeated(node.dims(0), dims));
}

Numbers cast(const OnnxNode& node) {
  Numbers numbers = node.numbers(0);
  const std::int64_t to = node.integer("to", onnx::TensorProto::FLOAT);
  const bool real =
      to == onnx::TensorProto::FLOAT || to == onnx::TensorProto::DOUBLE || to == onnx::TensorProto::FLOAT16;
  if (!numbers) return std::nullopt;
  numbers->whole = !real;
  for (double& value : numbers->values) {
    if (!real) value = to == onnx::TensorProto::BOOL ? static_cast<double>(value != 0) : std::trunc(value);
  }
  return numbers;
}

// ---- lists

/// Lists one after the other; of more dimensions only along the first.
Numbers concat(const OnnxNode& node) {
  if (node.axis(node.integer("axis", 0), node.dims(0).size()) != 0) return std::nullopt;
  OnnxNumbers joined;
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    const Numbers part = node.numbers(i);
    if (!part) return std::nullopt;
    joined.values.insert(joined.values.end(), part->values.begin(), part->values.end());
    joined.whole = part->whole;
  }
  return joined;
}

Numbers gather(const OnnxNode& node) {
  const Numbers data = node.numbers(0);
  const auto indices = node.whole_numbers(1);
  if (!data || !indices || node.dims(0).size() != 1) return std::nullopt;
  OnnxNumbers gathered{{}, data->whole};
  const auto count = static_cast<std::int64_t>(data->values.size());
  for (std::int64_t index : *indices) {
    if (index < 0) index += count;
    if (index < 0 || index >= count)
      node.fail("it takes element " + std::to_string(index) + " of " + std::to_string(count));
    gathered.values.push_back(data->values[static_cast<std::size_t>(index)]);
  }
  return gathered;
}

Numbers slice(const OnnxNode& node, const Dims& dims) {
  const Numbers data = node.numbers(0);
  const auto ranges = read_slice(node);
  if (!data || !ranges) return std::nullopt;
  const Dims strides = strides_of(node.dims(0));
  Dims steps = strides;
  std::int64_t first = 0;
  for (const SliceRange& range : *ranges) {
    first += range.first * strides[range.axis];
    steps[range.axis] = range.step * strides[range.axis];
  }
  return picked(*data, walk(dims, steps, first));
}

Numbers transpose(const OnnxNode& node, const Dims& dims) {
  const Numbers data = node.numbers(0);
  if (!data) return std::nullopt;
  const Dims strides = strides_of(node.dims(0));
  const Dims order = node.integers("perm", {});
  Dims steps(strides.rbegin(), strides.rend());
  for (std::size_t i = 0; i < order.size(); ++i) steps[i] = strides[static_cast<std::size_t>(order[i])];
  return picked(*data, walk(dims, steps, 0));
}

Numbers shape(const OnnxNode& node, const Dims& dims) {
  const auto rank = static_cast<std::int64_t>(node.dims(0).size());
  std::int64_t first = node.integer("start", 0);
  if (first < 0) first += rank;
  first = std::clamp<std::int64_t>(first, 0, rank);
  const auto begin = node.dims(0).begin() + first;
  return OnnxNumbers{{begin, begin + std::min(dims[0], rank - first)}, true};
}

Numbers constant(const OnnxNode& node) {
  if (const onnx::TensorProto* value = node.tensor("value")) return numbers_of(*value);
  if (node.has("value_int")) return OnnxNumbers{{static_cast<double>(node.integer("value_int", 0))}, true};
  if (node.has("value_float")) return OnnxNumbers{{node.real("value_float", 0)}, false};
  if (node.has("value_floats")) return OnnxNumbers{node.reals("value_floats"), false};
  const Dims integers = node.integers("value_ints", {});
  return OnnxNumbers{{integers.begin(), integers.end()}, true};
}

Numbers constant_of_shape(const OnnxNode& node, const Dims& dims) {
  OnnxNumbers filled{{0}, false};
  if (const onnx::TensorProto* value = node.tensor("value")) {
    const Numbers numbers = numbers_of(*value);
    if (!numbers || numbers->values.size() != 1) return std::nullopt;
    filled = *numbers;
  }
  filled.values.assign(static_cast<std::size_t>(words_of(dims)), filled.values.front());
  return filled;
}

Numbers range(const OnnxNode& node, const Dims& dims) {
  const Numbers first = node.numbers(0);
  const Numbers step = node.numbers(2);
  if (!first || !step) return std::nullopt;
  OnnxNumbers result{{}, first->whole};
  for (std::int64_t i = 0; i < dims[0]; ++i) {
    result.values.push_back(first->values[0] + static_cast<double>(i) * step->values[0]);
  }
  return result;
}

/// Of all elements: sizes multiplied or added up.
Numbers reduce(const OnnxNode& node, const Dims& dims, Binary function) {
  Numbers numbers = node.numbers(0);
  if (!numbers || numbers->values.empty() || words_of(dims) != 1) return std::nullopt;
  const auto& values = numbers->values;
  numbers->values = {std::accumulate(values.begin() + 1, values.end(), values.front(), function)};
  return numbers;
}

using Fold = std::function<Numbers(const OnnxNode&, const Dims&)>;

Fold element_wise(Unary function) {
  return [function](const OnnxNode& node, const Dims&) { return unary(node, function); };
}

Fold element_wise(Binary function) {
  return [function](const OnnxNode& node, const Dims& dims) { return binary(node, dims, function); };
}

Fold comparison(Binary function) {
  return [function](const OnnxNode& node, const Dims& dims) { return compare(node, dims, function); };
}

Fold reduction(Binary function) {
  return [function](const OnnxNode& node, const Dims& dims) { return reduce(node, dims, function); };
}

Fold list(Numbers (*function)(const OnnxNode&)) {
  return [function](const OnnxNode& node, const Dims&) { return function(node); };
}

double add(double a, double b) { return a + b; }
double multiply(double a, double b) { return a * b; }
double least(double a, double b) { return std::min(a, b); }
double most(double a, double b) { return std::max(a, b); }

/// As ONNX and Python define it for integers: the sign is the divisor's.
double modulo(double a, double b) { return a - b * std::floor(a / b); }

const std::map<std::string, Fold>& folds() {
  const Fold keep = element_wise([](double a) { return a; });
  static const std::map<std::string, Fold> kFolds{
      {"Abs", element_wise([](double a) { return std::abs(a); })},
      {"Add", element_wise(add)},
      {"Cast", list(cast)},
      {"Ceil", element_wise([](double a) { return std::ceil(a); })},
      {"Concat", list(concat)},
      {"Constant", list(constant)},
      {"ConstantOfShape", constant_of_shape},
      {"Div", divide},
      {"Equal", comparison([](double a, double b) { return static_cast<double>(a == b); })},
      {"Expand", expand},
      {"Flatten", keep},
      {"Floor", element_wise([](double a) { return std::floor(a); })},
      {"Gather", list(gather)},
      {"Greater", comparison([](double a, double b) { return static_cast<double>(a > b); })},
      {"Identity", keep},
      {"Less", comparison([](double a, double b) { return static_cast<double>(a < b); })},
      {"Max", element_wise(most)},
      {"Min", element_wise(least)},
      {"Mod", element_wise(modulo)},
      {"Mul", element_wise(multiply)},
      {"Neg", element_wise([](double a) { return -a; })},
      {"Not", element_wise([](double a) { return static_cast<double>(a == 0); })},
      {"Range", range},
      {"ReduceMax", reduction(most)},
      {"ReduceMin", reduction(least)},
      {"ReduceProd", reduction(multiply)},
      {"ReduceSum", reduction(add)},
      {"Reshape", keep},
      {"Shape", shape},
      {"Size",
       [](const OnnxNode& node, const Dims&) {
         return OnnxNumbers{{static_cast<double>(words_of(node.dims(0)))}, true};
       }},
      {"Slice", slice},
      {"Sqrt", element_wise([](double a) { return std::sqrt(a); })},
      {"Squeeze", keep},
      {"Sub", element_wise([](double a, double b) { return a - b; })},
      {"Transpose", transpose},
      {"Unsqueeze", keep},
      {"Where", where}};
  return kFolds;
}

}  // namespace

std::optional<OnnxNumbers> fold(const OnnxNode& node, const Dims& dims) {
  constexpr std::int64_t kMostNumbers = 256;
  const auto found = folds().find(node.op());
  if (found == folds().end() || words_of(dims) > kMostNumbers) return std::nullopt;
  std::optional<OnnxNumbers> numbers = found->second(node, dims);
  if (numbers && static_cast<std::int64_t>(numbers->values.size()) != words_of(dims)) return std::nullopt;
  return numbers;
}

}  // namespace fluidbatch::workloads
