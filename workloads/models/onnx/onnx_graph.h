// An ONNX model as the importer needs it: nodes in order, sizes of tensors, what is constant.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "workloads/models/onnx/onnx_node.h"

namespace fluidbatch::workloads {

/// Reads a model and infers the sizes of all its tensors, in one pass over its nodes: each is looked at once.
/// What the file says of them is not believed. Throws InputError.
class OnnxGraph {
 public:
  /// `height_width` sets the spatial size of the input where the model leaves it open.
  OnnxGraph(const std::filesystem::path& file,
            const std::optional<std::pair<std::int64_t, std::int64_t>>& height_width);
  OnnxGraph(const OnnxGraph&) = delete;
  OnnxGraph& operator=(const OnnxGraph&) = delete;
  ~OnnxGraph();

  [[nodiscard]] const std::string& file() const { return tensors_.file; }
  [[nodiscard]] const std::string& input() const { return input_; }
  [[nodiscard]] const std::vector<OnnxNode>& nodes() const { return nodes_; }

  /// Samples that the model runs at once; 1 where it leaves the batch open.
  [[nodiscard]] std::int64_t batch() const { return batch_; }
  [[nodiscard]] const OnnxTensor& tensor(const std::string& name) const { return tensors_.by_name.at(name); }

 private:
  using HeightWidth = std::optional<std::pair<std::int64_t, std::int64_t>>;

  void find_input(const HeightWidth& height_width);
  [[nodiscard]] Dims input_dims(const onnx::ValueInfoProto& input, const HeightWidth& height_width) const;
  void infer(const OnnxNode& node);
  /// Sizes of the node's outputs, checked; none where they can't be inferred.
  [[nodiscard]] std::vector<Dims> checked_shapes(const OnnxNode& node) const;

  std::unique_ptr<onnx::ModelProto> model_;
  OnnxTensors tensors_;
  std::vector<OnnxNode> nodes_;
  std::string input_;
  std::int64_t batch_ = 1;
};

}  // namespace fluidbatch::workloads
