// An ONNX model as the importer needs it: nodes in order, shapes of tensors, what is constant.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "workloads/network_builder.h"

namespace onnx {
class ModelProto;
class NodeProto;
}  // namespace onnx

namespace fluidbatch::workloads {

using Dims = std::vector<std::int64_t>;

/// Reads a model and infers the shapes of all its tensors. Throws InputError.
class OnnxGraph {
 public:
  /// `height_width` sets the spatial size of the input where the model leaves it open (or has another).
  OnnxGraph(const std::filesystem::path& file,
            const std::optional<std::pair<std::int64_t, std::int64_t>>& height_width);
  OnnxGraph(const OnnxGraph&) = delete;
  OnnxGraph& operator=(const OnnxGraph&) = delete;
  ~OnnxGraph();

  [[nodiscard]] const std::string& file() const { return file_; }
  [[nodiscard]] const std::string& input() const { return input_; }
  [[nodiscard]] std::vector<const onnx::NodeProto*> nodes() const;

  /// True for initializers and all that is computed from them (and from shapes) alone.
  [[nodiscard]] bool is_constant(const std::string& tensor) const { return constants_.contains(tensor); }
  /// Sizes of a tensor, or nothing where they can't be inferred.
  [[nodiscard]] std::optional<Dims> dims(const std::string& tensor) const;
  /// Shape of an activation for one sample: its sizes without the batch, the first of them.
  /// Throws InputError, naming `node`, where they are not known or the batch is not the first.
  [[nodiscard]] Shape shape(const std::string& tensor, const onnx::NodeProto& node) const;

  /// Throws InputError `file: node 'name' (Operator): message`.
  [[noreturn]] void fail(const onnx::NodeProto& node, const std::string& message) const;

 private:
  void find_input(const std::optional<std::pair<std::int64_t, std::int64_t>>& height_width);
  void infer_shapes();
  bool fold_reshape_targets();
  [[nodiscard]] std::optional<Dims> integers_of(const std::string& tensor, int depth) const;
  void find_constants();

  std::string file_;
  std::unique_ptr<onnx::ModelProto> model_;
  std::string input_;
  std::int64_t batch_ = 1;
  std::map<std::string, Dims> dims_;
  std::set<std::string> constants_;
};

}  // namespace fluidbatch::workloads
