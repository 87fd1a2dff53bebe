#include "workloads/models/onnx/onnx_layers.h"

#include <algorithm>
#include <utility>

#include "workloads/models/onnx/onnx_window.h"

namespace fluidbatch::workloads {
namespace {

using io::Node;

/// Sizes after the batch as channels, height and width; more dimensions go to the channels.
Shape canonical(const Dims& dims) {
  const auto at = [&](std::size_t i) { return i < dims.size() ? dims[i] : 1; };
  if (dims.size() <= 3) return {at(1), at(2), 1};
  const auto channels = Dims(dims.begin(), dims.end() - 2);
  return {words_of(channels), dims[dims.size() - 2], dims.back()};
}

Shape shape_of_input(const OnnxGraph& graph) {
  Dims dims = *graph.tensor(graph.input()).dims;
  dims.front() = 1;
  return canonical(dims);
}

}  // namespace

OnnxLayers::OnnxLayers(const OnnxGraph& graph)
    : graph_(graph), input_shape_(shape_of_input(graph)), builder_(input_shape_), names_{"input"} {
  set(graph.input(), {"input", input_shape_, input_shape_.words()});
}

Dims OnnxLayers::sample_dims(const OnnxNode& node, const std::string& tensor) const {
  const std::optional<Dims>& known = graph_.tensor(tensor).dims;
  if (!known) node.fail("the shape of '" + tensor + "' can't be inferred");
  Dims dims = *known;
  if (words_of(dims) < 1) node.fail("'" + tensor + "' is empty");
  if (batch() == 1) return dims;  // every dimension is one of the sample
  if (dims.empty() || dims.front() != batch()) {
    node.fail("the first dimension of '" + tensor + "' is not the batch (" + std::to_string(batch()) +
              "); export the model for a batch of 1");
  }
  dims.front() = 1;
  return dims;
}

Shape OnnxLayers::image_shape(const OnnxNode& node, const std::string& tensor) const {
  const Dims dims = sample_dims(node, tensor);
  if (dims.size() < 3 || dims.size() > 4 || dims.front() != 1) {
    node.fail("'" + tensor + "' must have a batch (" + std::to_string(batch()) +
              "), channels and one or two dimensions");
  }
  return canonical(dims);
}

const OnnxActivation& OnnxLayers::input(const OnnxNode& node, std::size_t index) const {
  const auto found = activations_.find(node.input_name(index));
  if (found == activations_.end()) {
    node.fail("its input '" + node.input_name(index) +
              "' is not one that a layer computes; here only what the sample passes through can be read");
  }
  return found->second;
}

std::vector<OnnxActivation> OnnxLayers::inputs(const OnnxNode& node) const {
  std::vector<OnnxActivation> found;
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    if (!node.has_input(i) || node.input(i).constant) continue;
    const OnnxActivation& activation = input(node, i);
    const auto seen = std::find_if(found.begin(), found.end(),
                                   [&](const OnnxActivation& a) { return a.layer == activation.layer; });
    if (seen == found.end()) {
      found.push_back(activation);
    } else if (seen->words < activation.words) {
      *seen = activation;
    }
  }
  return found;
}

OnnxActivation OnnxLayers::only_input(const OnnxNode& node) const {
  const std::vector<OnnxActivation> found = inputs(node);
  if (found.size() != 1) node.fail("one input that is not constant is supported");
  return found.front();
}

OnnxActivation OnnxLayers::viewed(const OnnxNode& node, const OnnxActivation& activation,
                                  const Shape& shape) {
  if (activation.is_whole() && activation.shape == shape) return activation;
  return view(node, activation, shape, node.name() + "_input");
}

OnnxActivation OnnxLayers::view(const OnnxNode& node, const OnnxActivation& activation, const Shape& shape,
                                const std::string& name) {
  std::string& view = views_[{activation.layer, shape.channels, shape.height, shape.width}];
  if (view.empty()) {
    view = new_name(name);
    Node yaml = Node::map();
    yaml.flow = true;
    yaml.put("name", Node::text(view));
    yaml.put("kind", Node::text("view"));
    if (activation.layer != builder_.last()) yaml.put("from", Node::text(activation.layer));
    yaml.put("shape", list_of({shape.channels, shape.height, shape.width}));
    append(node, std::move(yaml));
  }
  return {view, shape, shape.words()};
}

OnnxActivation OnnxLayers::as_channels(const OnnxNode& node, const OnnxActivation& activation,
                                       std::int64_t channels, std::int64_t positions) {
  const Shape& shape = activation.shape;
  if (activation.is_whole() && shape.channels == channels && shape.height * shape.width == positions) {
    return activation;
  }
  return viewed(node, activation, {channels, positions, 1});
}

Shape OnnxLayers::shape_like(const OnnxActivation& from, const Dims& dims) {
  const std::int64_t words = words_of(dims);
  const Shape image = canonical(dims);
  const bool is_image = dims.size() >= 3 && image.words() == words;
  const Shape& like = from.shape;
  if (is_image &&
      (image.channels == like.channels || (image.height == like.height && image.width == like.width))) {
    return image;
  }
  if (std::find(dims.begin(), dims.end(), like.channels) != dims.end()) {
    return {like.channels, words / like.channels, 1};
  }
  const std::int64_t positions = like.height * like.width;
  if (words % positions == 0) return {words / positions, like.height, like.width};
  return is_image ? image : Shape{dims.back(), words / dims.back(), 1};
}

Node OnnxLayers::begin(const OnnxNode& node, const std::string& kind,
                       const std::vector<OnnxActivation>& from) {
  Node yaml = Node::map();
  yaml.flow = true;
  yaml.put("name", Node::text(new_name(node.name())));
  yaml.put("kind", Node::text(kind));
  if (from.size() > 1) {
    Node names = Node::sequence();
    for (const OnnxActivation& activation : from) names.items.push_back(Node::text(activation.layer));
    yaml.put("from", std::move(names));
  } else if (from.front().layer != builder_.last()) {
    yaml.put("from", Node::text(from.front().layer));
  }
  return yaml;
}

void OnnxLayers::add(const OnnxNode& node, Node yaml) {
  const std::string output = node.outputs().front();
  const std::int64_t expected = words_of(sample_dims(node, output));
  const OnnxActivation added = append(node, std::move(yaml));
  if (added.words != expected) {
    node.fail("its output would be " + text(added.shape) + ", the model says " + std::to_string(expected) +
              " words");
  }
  set(output, added);
}

void OnnxLayers::set_from(const OnnxNode& node, const std::string& tensor, const OnnxActivation& activation) {
  const Dims dims = sample_dims(node, tensor);
  const bool all = words_of(dims) == activation.words;
  set(tensor, all ? activation : view(node, activation, shape_like(activation, dims), node.name()));
}

std::string OnnxLayers::layer_named(const std::string& name) const {
  if (names_.contains(name)) return name;
  if (const auto found = activations_.find(name); found != activations_.end()) return found->second.layer;
  for (const OnnxNode& node : graph_.nodes()) {
    if (node.name() != name) continue;
    const auto found = activations_.find(node.outputs().front());
    if (found != activations_.end()) return found->second.layer;
  }
  return "";
}

/// A name for a layer that is good in YAML, CSV and on a command line, and that no other one has.
std::string OnnxLayers::new_name(std::string name) {
  for (char& c : name) {
    const bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '_' || c == '-' || c == '.' || c == '/';
    if (!good) c = '_';
  }
  std::string unique = name;
  while (!names_.insert(unique).second) {
    unique = name + "_" + std::to_string(2 + repeated_names_[name]++);
  }
  return unique;
}

OnnxActivation OnnxLayers::append(const OnnxNode& node, Node yaml) {
  try {
    builder_.add_layer(yaml);
  } catch (const io::InputError& error) {
    node.fail(error.what());
  }
  layers_.items.push_back(std::move(yaml));
  const Shape& shape = builder_.last_shape();
  return {builder_.last(), shape, shape.words()};
}

std::string text(const Shape& shape) {
  return std::to_string(shape.channels) + " x " + std::to_string(shape.height) + " x " +
         std::to_string(shape.width);
}

}  // namespace fluidbatch::workloads
