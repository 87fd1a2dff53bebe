#include "workloads/models/onnx/onnx_node.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <onnx/onnx_pb.h>
#include <utility>

#include "workloads/io/input_error.h"

namespace fluidbatch::workloads {
namespace {

using onnx::AttributeProto;
using onnx::TensorProto;

template <typename Number>
std::vector<double> from_raw(const std::string& raw) {
  std::vector<double> values(raw.size() / sizeof(Number));
  for (std::size_t i = 0; i < values.size(); ++i) {
    Number number{};
    std::memcpy(&number, raw.data() + i * sizeof(Number), sizeof(Number));
    values[i] = static_cast<double>(number);
  }
  return values;
}

template <typename Number, typename Typed>
std::vector<double> values_of(const TensorProto& tensor, const Typed& typed) {
  if (typed.empty()) return from_raw<Number>(tensor.raw_data());
  return {typed.begin(), typed.end()};
}

}  // namespace

const std::string& OnnxNode::name() const {
  return proto_->name().empty() ? proto_->output(0) : proto_->name();
}

const std::string& OnnxNode::op() const { return proto_->op_type(); }

void OnnxNode::fail(const std::string& message) const {
  throw io::InputError(tensors_->file + ": node '" + name() + "' (" + op() + "): " + message);
}

std::vector<std::string> OnnxNode::inputs() const { return {proto_->input().begin(), proto_->input().end()}; }

std::vector<std::string> OnnxNode::outputs() const {
  return {proto_->output().begin(), proto_->output().end()};
}

std::size_t OnnxNode::input_count() const { return static_cast<std::size_t>(proto_->input_size()); }

bool OnnxNode::has_input(std::size_t index) const {
  return index < input_count() && !proto_->input(static_cast<int>(index)).empty();
}

const std::string& OnnxNode::input_name(std::size_t index) const {
  if (!has_input(index)) fail("its input " + std::to_string(index) + " is missing");
  return proto_->input(static_cast<int>(index));
}

const OnnxTensor& OnnxNode::input(std::size_t index) const {
  const auto found = tensors_->by_name.find(input_name(index));
  if (found == tensors_->by_name.end()) {
    fail("its input '" + input_name(index) + "' comes from nowhere, or from a later node");
  }
  return found->second;
}

const Dims& OnnxNode::dims(std::size_t index) const {
  const OnnxTensor& tensor = input(index);
  if (!tensor.dims) fail("the shape of its input '" + input_name(index) + "' can't be inferred");
  return *tensor.dims;
}

std::optional<OnnxNumbers> OnnxNode::numbers(std::size_t index) const {
  return has_input(index) ? input(index).numbers : std::nullopt;
}

std::optional<Dims> OnnxNode::whole_numbers(std::size_t index) const {
  const std::optional<OnnxNumbers> found = numbers(index);
  return found ? whole(*found) : std::nullopt;
}

const AttributeProto* OnnxNode::find(const std::string& attribute) const {
  const auto& all = proto_->attribute();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const AttributeProto& a) { return a.name() == attribute; });
  return found == all.end() ? nullptr : &*found;
}

const AttributeProto* OnnxNode::find(const std::string& attribute, int type) const {
  const AttributeProto* found = find(attribute);
  // The first versions of ONNX wrote no type.
  if (found != nullptr && found->type() != type && found->type() != AttributeProto::UNDEFINED) {
    fail("its attribute '" + attribute + "' has type " + AttributeProto::AttributeType_Name(found->type()) +
         "; it must be " +
         AttributeProto::AttributeType_Name(static_cast<AttributeProto::AttributeType>(type)));
  }
  return found;
}

std::int64_t OnnxNode::integer(const std::string& attribute, std::int64_t otherwise) const {
  const AttributeProto* found = find(attribute, AttributeProto::INT);
  return found == nullptr ? otherwise : found->i();
}

Dims OnnxNode::integers(const std::string& attribute, Dims otherwise) const {
  const AttributeProto* found = find(attribute, AttributeProto::INTS);
  return found == nullptr ? std::move(otherwise) : Dims(found->ints().begin(), found->ints().end());
}

double OnnxNode::real(const std::string& attribute, double otherwise) const {
  const AttributeProto* found = find(attribute, AttributeProto::FLOAT);
  return found == nullptr ? otherwise : found->f();
}

std::vector<double> OnnxNode::reals(const std::string& attribute) const {
  const AttributeProto* found = find(attribute, AttributeProto::FLOATS);
  return found == nullptr ? std::vector<double>{}
                          : std::vector<double>(found->floats().begin(), found->floats().end());
}

std::string OnnxNode::text(const std::string& attribute, const std::string& otherwise) const {
  const AttributeProto* found = find(attribute, AttributeProto::STRING);
  return found == nullptr ? otherwise : found->s();
}

const TensorProto* OnnxNode::tensor(const std::string& attribute) const {
  const AttributeProto* found = find(attribute, AttributeProto::TENSOR);
  return found == nullptr ? nullptr : &found->t();
}

std::optional<Dims> OnnxNode::integers_or_input(const std::string& attribute, std::size_t index,
                                                const Dims& otherwise) const {
  return has_input(index) ? whole_numbers(index) : integers(attribute, otherwise);
}

std::size_t OnnxNode::axis(std::int64_t axis, std::size_t rank) const {
  const auto count = static_cast<std::int64_t>(rank);
  if (axis < -count || axis >= count) {
    fail("it has no axis " + std::to_string(axis) + " among " + std::to_string(rank));
  }
  return static_cast<std::size_t>(axis < 0 ? axis + count : axis);
}

std::optional<OnnxNumbers> numbers_of(const TensorProto& tensor) {
  constexpr std::int64_t kMostNumbers = 256;
  const std::int64_t words = words_of(dims_of(tensor));
  if (words < 0 || words > kMostNumbers) return std::nullopt;
  OnnxNumbers numbers;
  switch (tensor.data_type()) {
    case TensorProto::INT64:
      numbers = {values_of<std::int64_t>(tensor, tensor.int64_data()), true};
      break;
    case TensorProto::INT32:
      numbers = {values_of<std::int32_t>(tensor, tensor.int32_data()), true};
      break;
    case TensorProto::BOOL:
      numbers = {values_of<char>(tensor, tensor.int32_data()), true};
      break;
    case TensorProto::FLOAT:
      numbers = {values_of<float>(tensor, tensor.float_data()), false};
      break;
    default:
      return std::nullopt;
  }
  if (static_cast<std::int64_t>(numbers.values.size()) != words) return std::nullopt;  // left out
  return numbers;
}

std::optional<Dims> whole(const OnnxNumbers& numbers) {
  constexpr double kMost = 9007199254740992.0;  // 2^53
  Dims integers;
  for (const double value : numbers.values) {
    if (std::isnan(value) || std::trunc(value) != value) return std::nullopt;
    integers.push_back(static_cast<std::int64_t>(std::clamp(value, -kMost, kMost)));
  }
  return integers;
}

}  // namespace fluidbatch::workloads
