// Sizes of what ONNX's operators give that only move words: parts, joints, other sizes of the same words.
#pragma once

#include <vector>

#include "workloads/models/onnx/onnx_node.h"

namespace fluidbatch::workloads::movement {

// Each as infer_shapes in onnx_shapes.h: sizes of the outputs, or none where they depend on unknown numbers.
std::vector<Dims> concat(const OnnxNode& node);
std::vector<Dims> split(const OnnxNode& node);
std::vector<Dims> slice(const OnnxNode& node);
std::vector<Dims> gather(const OnnxNode& node);
std::vector<Dims> gather_elements(const OnnxNode& node);
std::vector<Dims> reshape(const OnnxNode& node);
std::vector<Dims> flatten(const OnnxNode& node);
std::vector<Dims> transpose(const OnnxNode& node);
std::vector<Dims> squeeze(const OnnxNode& node);
std::vector<Dims> unsqueeze(const OnnxNode& node);
std::vector<Dims> expand(const OnnxNode& node);
std::vector<Dims> tile(const OnnxNode& node);
std::vector<Dims> pad(const OnnxNode& node);
std::vector<Dims> in_blocks(const OnnxNode& node);

}  // namespace fluidbatch::workloads::movement
