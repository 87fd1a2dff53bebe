// The layers of an imported network as they are written, and which of them computes each ONNX tensor.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "workloads/models/network_builder.h"
#include "workloads/models/onnx/onnx_graph.h"

namespace fluidbatch::workloads {

/// An ONNX tensor that is not constant: the layer that computes it. In which order its words lie does not
/// matter to a layer's cost, so a transposed or reshaped tensor is the same activation.
struct OnnxActivation {
  std::string layer;
  Shape shape;             ///< of the layer's output
  std::int64_t words = 0;  ///< for one sample; fewer than the layer's where it is a statistic of its output

  /// Whether it is the layer's output as a whole.
  [[nodiscard]] bool is_whole() const { return words == shape.words(); }
};

/// Writes layers one by one, in order of execution, and checks each.
class OnnxLayers {
 public:
  explicit OnnxLayers(const OnnxGraph& graph);

  /// Sizes of a tensor for one sample: the first is 1 where it is the batch. Throws InputError where they are
  /// not known, hold nothing, or where a fixed batch is not the first of them.
  [[nodiscard]] Dims sample_dims(const OnnxNode& node, const std::string& tensor) const;
  /// Channels, height and width of such a tensor of images. Throws InputError.
  [[nodiscard]] Shape image_shape(const OnnxNode& node, const std::string& tensor) const;
  [[nodiscard]] std::int64_t batch() const { return graph_.batch(); }

  /// The activation that is the node's input `index`. Throws InputError.
  [[nodiscard]] const OnnxActivation& input(const OnnxNode& node, std::size_t index) const;
  /// All of them, each layer once (with the most words).
  [[nodiscard]] std::vector<OnnxActivation> inputs(const OnnxNode& node) const;
  [[nodiscard]] OnnxActivation only_input(const OnnxNode& node) const;

  /// The activation's words in the shape that the node reads them in: its own layer, or a view.
  OnnxActivation viewed(const OnnxNode& node, const OnnxActivation& activation, const Shape& shape);
  /// The same as `channels` in each of so many positions, arranged as they are where that fits.
  OnnxActivation as_channels(const OnnxNode& node, const OnnxActivation& activation, std::int64_t channels,
                             std::int64_t positions);
  /// A shape with the words of a tensor of these sizes, as near to that of `from` as it can be.
  [[nodiscard]] static Shape shape_like(const OnnxActivation& from, const Dims& dims);

  /// Begins a layer that reads `from`.
  io::Node begin(const OnnxNode& node, const std::string& kind, const std::vector<OnnxActivation>& from);
  /// Adds a finished layer. Throws InputError where it does not fit its inputs.
  OnnxActivation append(const OnnxNode& node, io::Node yaml);
  /// The same for a layer that computes the node's first output, whose words are checked.
  void add(const OnnxNode& node, io::Node yaml);
  /// Says that `tensor` is this activation.
  void set(const std::string& tensor, const OnnxActivation& activation) { activations_[tensor] = activation; }
  /// Says that the node's output `tensor` is made of the words of `activation`: the same ones, or a part,
  /// repeated or with padding, which are a view.
  void set_from(const OnnxNode& node, const std::string& tensor, const OnnxActivation& activation);

  /// The layer that a user names: by its own name, or by a tensor's or node's of the model; empty where there
  /// is none.
  [[nodiscard]] std::string layer_named(const std::string& name) const;
  [[nodiscard]] std::vector<std::string> names() const { return {names_.begin(), names_.end()}; }
  [[nodiscard]] const Shape& input_shape() const { return input_shape_; }
  /// All layers so far.
  [[nodiscard]] const io::Node& yaml() const { return layers_; }
  [[nodiscard]] const Shape& last_shape() const { return builder_.last_shape(); }

 private:
  std::string new_name(std::string name);
  OnnxActivation view(const OnnxNode& node, const OnnxActivation& activation, const Shape& shape,
                      const std::string& name);

  const OnnxGraph& graph_;
  Shape input_shape_;
  NetworkBuilder builder_;
  io::Node layers_ = io::Node::sequence();
  std::unordered_map<std::string, OnnxActivation> activations_;  // by tensor
  std::set<std::string> names_;
  std::unordered_map<std::string, int> repeated_names_;
  std::map<std::tuple<std::string, std::int64_t, std::int64_t, std::int64_t>, std::string> views_;
};

/// A shape as text: 3 x 224 x 224.
std::string text(const Shape& shape);

}  // namespace fluidbatch::workloads
