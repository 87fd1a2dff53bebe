// Shape inference: from the layers that a network's YAML lists to what the NPU executes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "workloads/io/map_reader.h"
#include "workloads/models/network.h"
#include "workloads/models/shape.h"

namespace fluidbatch::workloads {

/// A layer's or exit's name. Throws InputError where it has control characters, which would break the tables
/// and files that it ends up in.
std::string read_name(io::MapReader& reader, const std::string& key,
                      std::optional<std::string> otherwise = std::nullopt);

/// Reads `[channels, height, width]`. Throws InputError.
Shape read_shape(const io::Node& node, const std::string& what);

/// Takes layers one by one, in order of execution; each is checked against the shapes before it.
class NetworkBuilder {
 public:
  explicit NetworkBuilder(const Shape& input);

  /// Adds a layer as it stands in the YAML. Without `from` it reads the layer before it, so a branch
  /// names the layer that it starts from. Throws InputError.
  void add_layer(const io::Node& yaml);

  /// Goes back to the output of `layer`, so that the next one continues from there.
  void continue_from(const std::string& layer, const io::Mark& mark);

  /// Ends the segment in an exit; a segment must have at least one layer that is not fused.
  void end_segment(const std::string& exit, const io::Mark& mark);

  [[nodiscard]] const std::string& last() const { return last_; }
  /// Shape of what the last layer gives.
  [[nodiscard]] const Shape& last_shape() const { return tensor(last_, {}).shape; }
  /// The layers, fused movers, exits and input words; the rest is the caller's.
  [[nodiscard]] Network take() { return std::move(network_); }

 private:
  struct Tensor {
    std::string name;
    Shape shape;
  };

  [[nodiscard]] const Tensor& tensor(const std::string& name, const io::Mark& mark) const;
  [[nodiscard]] std::vector<Shape> inputs_of(const io::MapReader& reader) const;
  void append(const io::MapReader& reader, npu::Layer layer, const Shape& output, bool fused);

  void add_convolution(io::MapReader& reader, npu::Layer layer);
  void add_transposed_convolution(io::MapReader& reader, npu::Layer layer);
  void add_dense(io::MapReader& reader, npu::Layer layer);
  void add_matmul(io::MapReader& reader, npu::Layer layer);
  void add_pool(io::MapReader& reader, npu::Layer layer);
  void add_global_pool(io::MapReader& reader, npu::Layer layer);
  void add_sum(io::MapReader& reader, npu::Layer layer);
  void add_product(io::MapReader& reader, npu::Layer layer);
  void add_concat(io::MapReader& reader, npu::Layer layer);
  void add_resize(io::MapReader& reader, npu::Layer layer);
  void add_view(io::MapReader& reader, npu::Layer layer);
  void append_mover(io::MapReader& reader, npu::Layer layer, std::int64_t input_words, const Shape& output);

  struct Kind;
  static const std::vector<Kind>& kinds();

  Network network_;
  std::vector<Tensor> tensors_;                          // in order of execution; "input" is the first
  std::unordered_map<std::string, std::size_t> places_;  // of the tensors, by name
  std::int64_t macs_ = 0;                                // of all layers
  std::string last_;                                     // what a layer without `from` reads
};

}  // namespace fluidbatch::workloads
