#include "workloads/network_builder.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace fluidbatch::workloads {
namespace {

constexpr std::int64_t kMostChannels = 1 << 20;
constexpr std::int64_t kMostKernel = 1 << 10;

const std::vector<std::string> kKinds{"conv", "dense", "pool", "global_pool", "add"};

const std::vector<std::string>& keys_of(std::size_t kind) {
  static const std::vector<std::vector<std::string>> keys{
      {"name", "kind", "from", "out_channels", "kernel", "stride", "padding", "groups"},
      {"name", "kind", "from", "out_channels"},
      {"name", "kind", "from", "kernel", "stride", "padding", "fused"},
      {"name", "kind", "from", "fused"},
      {"name", "kind", "from", "fused"}};
  return keys[kind];
}

/// Kernel, stride and padding along height and width; each is one number for both, or [height, width].
struct Window {
  std::int64_t kernel[2];
  std::int64_t stride[2];
  std::int64_t padding[2];
};

void read_pair(io::MapReader& reader, const std::string& key, std::int64_t min, std::int64_t default_value,
               std::int64_t (&pair)[2]) {
  const io::Node* node = reader.child(key);
  if (node == nullptr) {
    pair[0] = pair[1] = default_value;
  } else if (node->kind == io::Node::Kind::sequence) {
    if (node->items.size() != 2)
      throw io::InputError(node->mark, key + " must be a number or [height, width]");
    pair[0] = io::read_integer(node->items[0], key, min, kMostKernel);
    pair[1] = io::read_integer(node->items[1], key, min, kMostKernel);
  } else {
    pair[0] = pair[1] = io::read_integer(*node, key, min, kMostKernel);
  }
}

Window read_window(io::MapReader& reader) {
  Window window{};
  read_pair(reader, "kernel", 1, 1, window.kernel);
  read_pair(reader, "stride", 1, 1, window.stride);
  read_pair(reader, "padding", 0, 0, window.padding);
  return window;
}

std::int64_t output_extent(std::int64_t input, const Window& window, int axis, const io::MapReader& reader) {
  const std::int64_t room = input + 2 * window.padding[axis] - window.kernel[axis];
  if (room < 0) {
    throw io::InputError(reader.mark(), "a kernel of " + std::to_string(window.kernel[axis]) +
                                            " does not fit an input of " + std::to_string(input));
  }
  return room / window.stride[axis] + 1;
}

}  // namespace

NetworkBuilder::NetworkBuilder(const Shape& input) : tensors_{{"input", input}}, last_("input") {
  network_.input_words = input.words();
}

void NetworkBuilder::add_layer(const io::Node& yaml) {
  const std::size_t kind = io::read_kind(yaml, "layer", "kind", kKinds);
  io::MapReader reader(yaml, "a layer of kind " + kKinds[kind], keys_of(kind));
  npu::Layer layer;
  layer.name = reader.text("name");
  for (const Tensor& other : tensors_) {
    if (other.name == layer.name) {
      throw io::InputError(reader.mark_of("name"), "two layers are called '" + layer.name + "'");
    }
  }
  switch (kind) {
    case 0:
      return add_convolution(reader, std::move(layer));
    case 1:
      return add_dense(reader, std::move(layer));
    case 2:
      return add_pool(reader, std::move(layer), false);
    case 3:
      return add_pool(reader, std::move(layer), true);
    default:
      return add_sum(reader, std::move(layer));
  }
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

namespace {

Shape only_input(const std::vector<Shape>& inputs, const io::MapReader& reader) {
  if (inputs.size() != 1) throw io::InputError(reader.mark_of("from"), "this layer reads exactly one layer");
  return inputs.front();
}

}  // namespace

void NetworkBuilder::add_convolution(io::MapReader& reader, npu::Layer layer) {
  const Shape input = only_input(inputs_of(reader), reader);
  const Window window = read_window(reader);
  const std::int64_t groups = reader.integer("groups", 1, kMostChannels, 1);
  const Shape output{.channels = reader.integer("out_channels", 1, kMostChannels),
                     .height = output_extent(input.height, window, 0, reader),
                     .width = output_extent(input.width, window, 1, reader)};
  layer.kind =
      groups > 1 && groups == input.channels ? npu::LayerKind::depthwise : npu::LayerKind::convolution;
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

void NetworkBuilder::add_pool(io::MapReader& reader, npu::Layer layer, bool global) {
  const Shape input = only_input(inputs_of(reader), reader);
  Shape output{input.channels, 1, 1};
  if (!global) {
    const Window window = read_window(reader);
    output.height = output_extent(input.height, window, 0, reader);
    output.width = output_extent(input.width, window, 1, reader);
  }
  layer.kind = npu::LayerKind::pool;
  layer.gemm = {.groups = 1, .r = output.height * output.width, .p = 0, .c = output.channels};
  layer.mover_input_words = input.words();
  layer.mover_output_words = output.words();
  append(std::move(layer), output, reader.boolean("fused", true));
}

void NetworkBuilder::add_sum(io::MapReader& reader, npu::Layer layer) {
  const std::vector<Shape> inputs = inputs_of(reader);
  if (inputs.size() < 2) {
    throw io::InputError(reader.mark_of("from"), "an addition reads two or more layers: from: [a, b]");
  }
  for (const Shape& shape : inputs) {
    if (shape == inputs.front()) continue;
    throw io::InputError(reader.mark_of("from"), "an addition needs inputs of one shape");
  }
  layer.kind = npu::LayerKind::add;
  layer.gemm = {.groups = 1, .r = inputs[0].height * inputs[0].width, .p = 0, .c = inputs[0].channels};
  layer.mover_input_words = static_cast<std::int64_t>(inputs.size()) * inputs[0].words();
  layer.mover_output_words = inputs[0].words();
  append(std::move(layer), inputs[0], reader.boolean("fused", true));
}

}  // namespace fluidbatch::workloads
