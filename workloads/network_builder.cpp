#include "workloads/network_builder.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <utility>

namespace fluidbatch::workloads {
namespace {

constexpr std::int64_t kMostChannels = 1 << 20;
constexpr std::int64_t kMostKernel = 1 << 10;

/// Kernel and the like along height and width; each is one number for both, or [height, width]. Padding may
/// be [top, left, bottom, right].
struct Window {
  std::int64_t kernel[2];
  std::int64_t stride[2];
  std::int64_t dilation[2];
  std::int64_t padding[2];  // both sides together
};

/// The numbers under `key`: one, or a list of as many as `lengths` allows; the default where it is not given.
std::vector<std::int64_t> read_numbers(const io::MapReader& reader, const std::string& key, std::int64_t min,
                                       std::int64_t default_value, bool four_allowed) {
  const io::Node* node = reader.child(key);
  if (node == nullptr) return {default_value};
  if (node->kind != io::Node::Kind::sequence) return {io::read_integer(*node, key, min, kMostKernel)};
  std::vector<std::int64_t> numbers;
  for (const io::Node& item : node->items) numbers.push_back(io::read_integer(item, key, min, kMostKernel));
  if (numbers.size() != 2 && !(four_allowed && numbers.size() == 4)) {
    throw io::InputError(node->mark, key + " must be a number or [height, width]" +
                                         (four_allowed ? " or [top, left, bottom, right]" : ""));
  }
  return numbers;
}

void read_pair(const io::MapReader& reader, const std::string& key, std::int64_t (&pair)[2]) {
  const std::vector<std::int64_t> numbers = read_numbers(reader, key, 1, 1, false);
  pair[0] = numbers.front();
  pair[1] = numbers.back();
}

Window read_window(const io::MapReader& reader) {
  Window window{};
  read_pair(reader, "kernel", window.kernel);
  read_pair(reader, "stride", window.stride);
  read_pair(reader, "dilation", window.dilation);
  const std::vector<std::int64_t> padding = read_numbers(reader, "padding", 0, 0, true);
  for (std::size_t axis = 0; axis < 2; ++axis) {
    window.padding[axis] =
        padding.size() == 4 ? padding[axis] + padding[axis + 2] : 2 * padding[axis % padding.size()];
  }
  return window;
}

std::int64_t output_extent(std::int64_t input, const Window& window, int axis, const io::MapReader& reader) {
  const std::int64_t reach = window.dilation[axis] * (window.kernel[axis] - 1) + 1;
  const std::int64_t room = input + window.padding[axis] - reach;
  if (room < 0) {
    throw io::InputError(reader.mark(), "a kernel of " + std::to_string(reach) +
                                            " does not fit an input of " + std::to_string(input));
  }
  return room / window.stride[axis] + 1;
}

Shape after(const Window& window, const Shape& input, std::int64_t channels, const io::MapReader& reader) {
  return {channels, output_extent(input.height, window, 0, reader),
          output_extent(input.width, window, 1, reader)};
}

Shape only_input(const std::vector<Shape>& inputs, const io::MapReader& reader) {
  if (inputs.size() != 1) throw io::InputError(reader.mark_of("from"), "this layer reads exactly one layer");
  return inputs.front();
}

/// Two or more inputs, each like the first one, or one value for each of its channels.
void require_alike(const std::vector<Shape>& inputs, const io::MapReader& reader) {
  if (inputs.size() < 2) {
    throw io::InputError(reader.mark_of("from"), "this layer reads two or more layers: from: [a, b]");
  }
  for (const Shape& shape : inputs) {
    if (shape == inputs.front() || shape == Shape{inputs.front().channels, 1, 1}) continue;
    throw io::InputError(reader.mark_of("from"), "this layer needs inputs of one shape");
  }
}

std::int64_t words_of(const std::vector<Shape>& shapes) {
  return std::accumulate(shapes.begin(), shapes.end(), std::int64_t{0},
                         [](std::int64_t sum, const Shape& shape) { return sum + shape.words(); });
}

}  // namespace

Shape read_shape(const io::Node& node, const std::string& what) {
  constexpr std::int64_t kMostExtent = 1 << 24;
  const std::vector<io::Node>& sizes = io::read_list(node, what);
  if (sizes.size() != 3) throw io::InputError(node.mark, what + " must be [channels, height, width]");
  return {io::read_integer(sizes[0], what + " channels", 1, kMostExtent),
          io::read_integer(sizes[1], what + " height", 1, kMostExtent),
          io::read_integer(sizes[2], what + " width", 1, kMostExtent)};
}

/// A kind of layer in the YAML: its keys besides name, kind and from, and how it is added.
struct NetworkBuilder::Kind {
  std::string name;
  std::vector<std::string> keys;
  void (NetworkBuilder::*add)(io::MapReader&, npu::Layer);
};

const std::vector<NetworkBuilder::Kind>& NetworkBuilder::kinds() {
  static const std::vector<Kind> kinds{
      {"conv",
       {"out_channels", "kernel", "stride", "padding", "dilation", "groups"},
       &NetworkBuilder::add_convolution},
      {"dense", {"out_channels"}, &NetworkBuilder::add_dense},
      {"pool", {"kernel", "stride", "padding", "dilation", "fused"}, &NetworkBuilder::add_pool},
      {"global_pool", {"fused"}, &NetworkBuilder::add_global_pool},
      {"add", {"fused"}, &NetworkBuilder::add_sum},
      {"mul", {"fused"}, &NetworkBuilder::add_product},
      {"concat", {"fused"}, &NetworkBuilder::add_concat},
      {"view", {"shape"}, &NetworkBuilder::add_view}};
  return kinds;
}

NetworkBuilder::NetworkBuilder(const Shape& input) : tensors_{{"input", input}}, last_("input") {
  network_.input_words = input.words();
}

void NetworkBuilder::add_layer(const io::Node& yaml) {
  std::vector<std::string> names;
  for (const Kind& kind : kinds()) names.push_back(kind.name);
  const Kind& kind = kinds()[io::read_kind(yaml, "layer", "kind", names)];
  std::vector<std::string> keys{"name", "kind", "from"};
  keys.insert(keys.end(), kind.keys.begin(), kind.keys.end());
  io::MapReader reader(yaml, "a layer of kind " + kind.name, keys);
  npu::Layer layer;
  layer.name = reader.text("name");
  for (const Tensor& other : tensors_) {
    if (other.name == layer.name) {
      throw io::InputError(reader.mark_of("name"), "two layers are called '" + layer.name + "'");
    }
  }
  (this->*kind.add)(reader, std::move(layer));
}

void NetworkBuilder::continue_from(const std::string& layer, const io::Mark& mark) {
  last_ = tensor(layer, mark).name;
}

void NetworkBuilder::end_segment(const std::string& exit, const io::Mark& mark) {
  const int segment = network_.exit_count();
  if (network_.layers.empty() || network_.layers.back().segment != segment) {
    throw io::InputError(mark, "nothing runs between exit '" + exit + "' and what comes before it");
  }
  network_.exits.push_back(exit);
}

const NetworkBuilder::Tensor& NetworkBuilder::tensor(const std::string& name, const io::Mark& mark) const {
  const auto found =
      std::find_if(tensors_.begin(), tensors_.end(), [&](const Tensor& t) { return t.name == name; });
  if (found == tensors_.end()) {
    std::vector<std::string> names;
    for (const Tensor& t : tensors_) names.push_back(t.name);
    throw io::InputError(mark, "no layer '" + name + "' before this one" + io::did_you_mean(name, names));
  }
  return *found;
}

std::vector<Shape> NetworkBuilder::inputs_of(const io::MapReader& reader) const {
  const io::Node* from = reader.child("from");
  if (from == nullptr) return {tensor(last_, reader.mark()).shape};
  if (from->kind != io::Node::Kind::sequence) {
    return {tensor(io::read_text(*from, "from"), from->mark).shape};
  }
  if (from->items.empty()) throw io::InputError(from->mark, "from names at least one layer");
  std::vector<Shape> shapes;
  for (const io::Node& item : from->items) {
    shapes.push_back(tensor(io::read_text(item, "from"), item.mark).shape);
  }
  return shapes;
}

void NetworkBuilder::append(npu::Layer layer, const Shape& output, bool fused) {
  tensors_.push_back({layer.name, output});
  last_ = layer.name;
  layer.segment = network_.exit_count();
  if (fused) {
    network_.fused.push_back(layer.name);
  } else {
    network_.layers.push_back(std::move(layer));
  }
}

void NetworkBuilder::append_mover(io::MapReader& reader, npu::Layer layer, std::int64_t input_words,
                                  const Shape& output) {
  layer.gemm = {.groups = 1, .r = output.height * output.width, .p = 0, .c = output.channels};
  layer.mover_input_words = input_words;
  layer.mover_output_words = output.words();
  append(std::move(layer), output, reader.boolean("fused", true));
}

void NetworkBuilder::add_convolution(io::MapReader& reader, npu::Layer layer) {
  const Shape input = only_input(inputs_of(reader), reader);
  const Window window = read_window(reader);
  const std::int64_t groups = reader.integer("groups", 1, kMostChannels, 1);
  const Shape output = after(window, input, reader.integer("out_channels", 1, kMostChannels), reader);
  const bool depthwise = groups > 1 && groups == input.channels;
  layer.kind = depthwise ? npu::LayerKind::depthwise : npu::LayerKind::convolution;
  try {
    layer.gemm = npu::gemm_of({.input_channels = input.channels,
                               .output_channels = output.channels,
                               .kernel_height = window.kernel[0],
                               .kernel_width = window.kernel[1],
                               .output_height = output.height,
                               .output_width = output.width,
                               .groups = groups});
  } catch (const std::invalid_argument& error) {
    throw io::InputError(reader.mark_of("groups"), error.what());
  }
  append(std::move(layer), output, false);
}

void NetworkBuilder::add_dense(io::MapReader& reader, npu::Layer layer) {
  const Shape input = only_input(inputs_of(reader), reader);
  const std::int64_t channels = reader.integer("out_channels", 1, kMostChannels);
  layer.kind = npu::LayerKind::dense;
  layer.gemm = {.groups = 1, .r = 1, .p = input.words(), .c = channels};
  append(std::move(layer), {channels, 1, 1}, false);
}

void NetworkBuilder::add_pool(io::MapReader& reader, npu::Layer layer) {
  const Shape input = only_input(inputs_of(reader), reader);
  layer.kind = npu::LayerKind::pool;
  append_mover(reader, std::move(layer), input.words(),
               after(read_window(reader), input, input.channels, reader));
}

void NetworkBuilder::add_global_pool(io::MapReader& reader, npu::Layer layer) {
  const Shape input = only_input(inputs_of(reader), reader);
  layer.kind = npu::LayerKind::pool;
  append_mover(reader, std::move(layer), input.words(), {input.channels, 1, 1});
}

void NetworkBuilder::add_sum(io::MapReader& reader, npu::Layer layer) {
  const std::vector<Shape> inputs = inputs_of(reader);
  require_alike(inputs, reader);
  layer.kind = npu::LayerKind::add;
  append_mover(reader, std::move(layer), words_of(inputs), inputs.front());
}

void NetworkBuilder::add_product(io::MapReader& reader, npu::Layer layer) {
  const std::vector<Shape> inputs = inputs_of(reader);
  require_alike(inputs, reader);
  layer.kind = npu::LayerKind::multiply;
  append_mover(reader, std::move(layer), words_of(inputs), inputs.front());
}

void NetworkBuilder::add_concat(io::MapReader& reader, npu::Layer layer) {
  const std::vector<Shape> inputs = inputs_of(reader);
  Shape output{0, inputs.front().height, inputs.front().width};
  for (const Shape& shape : inputs) {
    if (shape.height != output.height || shape.width != output.width) {
      throw io::InputError(reader.mark_of("from"), "a concatenation needs inputs of one height and width");
    }
    output.channels += shape.channels;
  }
  layer.kind = npu::LayerKind::concat;
  append_mover(reader, std::move(layer), words_of(inputs), output);
}

void NetworkBuilder::add_view(io::MapReader& reader, npu::Layer layer) {
  only_input(inputs_of(reader), reader);
  append(std::move(layer), read_shape(reader.required("shape"), "shape"), true);
}

}  // namespace fluidbatch::workloads
