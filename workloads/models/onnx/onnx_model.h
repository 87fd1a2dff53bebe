// An ONNX file, parsed and checked before anything is computed from it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace onnx {
class ModelProto;
class TensorProto;
class ValueInfoProto;
}  // namespace onnx

namespace fluidbatch::workloads {

/// Sizes of a tensor, the batch included.
using Dims = std::vector<std::int64_t>;

/// No tensor may have more words, so that sizes, offsets and their sums can't overflow.
inline constexpr std::int64_t kMostWords = std::int64_t{1} << 40;

/// Product of `dims`, or -1 where one is negative, the product is above kMostWords or there are more than 16.
std::int64_t words_of(const Dims& dims);

/// Sizes of a tensor of the file.
Dims dims_of(const onnx::TensorProto& tensor);

/// Parses a model. Its tensors have sensible sizes and as much data as these say, or none (graphs are also
/// passed on without their weights); no node has a subgraph. Throws InputError.
std::unique_ptr<onnx::ModelProto> read_onnx_model(const std::filesystem::path& file);

}  // namespace fluidbatch::workloads
