// From an ONNX model to a network's YAML.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "workloads/io/yaml_node.h"

namespace fluidbatch::workloads {

struct OnnxImportOptions {
  std::string name;  ///< of the network
  /// Height and width of the input, where the model leaves them open.
  std::optional<std::pair<std::int64_t, std::int64_t>> height_width;
  /// Layers to put an early exit after, with an MSDNet-like head as the shipped networks have.
  std::vector<std::string> exits_after;
};

/// The network's YAML: convolutions and dense layers, pooling, additions, products and concatenations;
/// biases, normalisations and activations are fused, and what only renames or cuts words is a view. The batch
/// is left out. Throws InputError, naming node and operator, for what can't be expressed.
io::Node import_onnx(const std::filesystem::path& model, const OnnxImportOptions& options);

}  // namespace fluidbatch::workloads
