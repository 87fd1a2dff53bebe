// A node of an ONNX graph, with what is known of its inputs before the network runs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "workloads/models/onnx/onnx_model.h"

namespace onnx {
class AttributeProto;
class NodeProto;
}  // namespace onnx

namespace fluidbatch::workloads {

/// Numbers that shapes are computed from; doubles are exact for whole ones up to 2^53 and can't overflow.
struct OnnxNumbers {
  std::vector<double> values;
  bool whole = false;  ///< of an integer type: division rounds towards zero
};

struct OnnxTensor {
  std::optional<Dims> dims;            ///< nothing where they can't be inferred
  bool constant = false;               ///< an initializer, or computed from those (and from shapes) alone
  std::optional<OnnxNumbers> numbers;  ///< of a constant of few words
};

/// All tensors met so far, by name, of a model in `file`.
struct OnnxTensors {
  std::string file;
  std::int64_t opset = 0;
  std::unordered_map<std::string, OnnxTensor> by_name;
};

class OnnxNode {
 public:
  OnnxNode(const onnx::NodeProto& proto, const OnnxTensors& tensors) : proto_(&proto), tensors_(&tensors) {}

  /// Its own name, or that of its first output.
  [[nodiscard]] const std::string& name() const;
  [[nodiscard]] const std::string& op() const;
  [[nodiscard]] std::int64_t opset() const { return tensors_->opset; }
  /// Throws InputError `file: node 'name' (Operator): message`.
  [[noreturn]] void fail(const std::string& message) const;

  [[nodiscard]] std::vector<std::string> inputs() const;
  [[nodiscard]] std::vector<std::string> outputs() const;
  [[nodiscard]] std::size_t input_count() const;
  /// False for an optional input that is left out.
  [[nodiscard]] bool has_input(std::size_t index) const;
  /// The following throw InputError where the node lacks the input.
  [[nodiscard]] const std::string& input_name(std::size_t index) const;
  [[nodiscard]] const OnnxTensor& input(std::size_t index) const;
  /// Sizes; also an InputError where they can't be inferred.
  [[nodiscard]] const Dims& dims(std::size_t index) const;
  /// Numbers of a constant input; nothing where it is left out or they are not known.
  [[nodiscard]] std::optional<OnnxNumbers> numbers(std::size_t index) const;
  /// The same as whole numbers, such as axes or sizes; nothing also where one is not.
  [[nodiscard]] std::optional<Dims> whole_numbers(std::size_t index) const;

  /// An attribute's value; `otherwise` where the node does not have it. An InputError where it has another
  /// type.
  [[nodiscard]] bool has(const std::string& attribute) const { return find(attribute) != nullptr; }
  [[nodiscard]] std::int64_t integer(const std::string& attribute, std::int64_t otherwise) const;
  [[nodiscard]] Dims integers(const std::string& attribute, Dims otherwise) const;
  [[nodiscard]] double real(const std::string& attribute, double otherwise) const;
  [[nodiscard]] std::vector<double> reals(const std::string& attribute) const;
  [[nodiscard]] std::string text(const std::string& attribute, const std::string& otherwise) const;
  [[nodiscard]] const onnx::TensorProto* tensor(const std::string& attribute) const;

  /// Whole numbers that newer versions of an operator take as input `index`, older ones as an attribute;
  /// nothing where an input's numbers are not known, `otherwise` where neither is given.
  [[nodiscard]] std::optional<Dims> integers_or_input(const std::string& attribute, std::size_t index,
                                                      const Dims& otherwise) const;
  /// `axis`, counted from the end where negative, as an index below `rank`. Throws InputError.
  [[nodiscard]] std::size_t axis(std::int64_t axis, std::size_t rank) const;

 private:
  [[nodiscard]] const onnx::AttributeProto* find(const std::string& attribute) const;
  /// The attribute, checked to be of the type (a number of the protocol); nullptr where it is not given.
  [[nodiscard]] const onnx::AttributeProto* find(const std::string& attribute, int type) const;

  const onnx::NodeProto* proto_;
  const OnnxTensors* tensors_;
};

/// The numbers of a tensor of the file, where there are few; nothing where it is large, has another type or
/// comes without its data.
std::optional<OnnxNumbers> numbers_of(const onnx::TensorProto& tensor);

/// As whole numbers; nothing where one is not. Those beyond 2^53, such as the end of a slice that means "to
/// the end", are cut to it.
std::optional<Dims> whole(const OnnxNumbers& numbers);

}  // namespace fluidbatch::workloads
