#include "workloads/models/network_builder.h"

#include <algorithm>
#include <initializer_list>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "workloads/models/layer_window.h"

namespace fluidbatch::workloads {
namespace {

constexpr std::int64_t kMostChannels = 1 << 20;
constexpr std::int64_t kMostExtent = 1 << 24;
// Of a shape and of a layer: sums over a network, and times a batch, stay below 2^63.
constexpr double kMostWords = 1LL << 40;
constexpr double kMostMacs = 1LL << 45;
constexpr double kMostPackedMacs = 1LL << 50;
constexpr std::int64_t kMostNetworkMacs = 1LL << 53;  // a double still counts them

npu::Gemm gemm_of(const npu::Convolution& convolution, const io::MapReader& reader) {
  try {
    return npu::gemm_of(convolution);
  } catch (const std::invalid_argument& error) {
    throw io::InputError(reader.mark_of("groups"), error.what());
  }
}

Shape only_input(const std::vector<Shape>& inputs, const io::MapReader& reader) {
  if (inputs.size() != 1) throw io::InputError(reader.mark_of("from"), "this layer reads exactly one layer");
  return inputs.front();
}

/// Two or more inputs, each like the first one, or with one value for each of its channels or positions.
void require_alike(const std::vector<Shape>& inputs, const io::MapReader& reader) {
  if (inputs.size() < 2) {
    throw io::InputError(reader.mark_of("from"), "this layer reads two or more layers: from: [a, b]");
  }
  for (const Shape& shape : inputs) {
    const Shape& first = inputs.front();
    const bool channels = shape.channels == first.channels || shape.channels == 1;
    const bool positions = (shape.height == first.height && shape.width == first.width) ||
                           (shape.height == 1 && shape.width == 1);
    if (channels && positions) continue;
    throw io::InputError(reader.mark_of("from"), "this layer needs inputs of one shape");
  }
}

/// In doubles, which round where integers would overflow.
double product_of(std::initializer_list<std::int64_t> factors) {
  return std::accumulate(factors.begin(), factors.end(), 1.0, [](double product, std::int64_t factor) {
    return product * static_cast<double>(factor);
  });
}

void require_countable(const Shape& shape, const io::Mark& mark) {
  if (product_of({shape.channels, shape.height, shape.width}) <= kMostWords) return;
  throw io::InputError(mark, "a shape of more than 2^40 words");
}

std::int64_t words_of(const std::vector<Shape>& shapes) {
  return std::accumulate(shapes.begin(), shapes.end(), std::int64_t{0},
                         [](std::int64_t sum, const Shape& shape) { return sum + shape.words(); });
}

}  // namespace

std::string read_name(io::MapReader& reader, const std::string& key, std::optional<std::string> otherwise) {
  std::string name = reader.text(key, std::move(otherwise));
  for (const char c : name) {
    if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) continue;
    throw io::InputError(reader.mark_of(key),
                         key + " must not have control characters, found " + io::in_quotes(name));
  }
  return name;
}

Shape read_shape(const io::Node& node, const std::string& what) {
  const std::vector<io::Node>& sizes = io::read_list_of(node, what, {3}, "[channels, height, width]");
  const Shape shape{io::read_integer(sizes[0], what + " channels", 1, kMostExtent),
                    io::read_integer(sizes[1], what + " height", 1, kMostExtent),
                    io::read_integer(sizes[2], what + " width", 1, kMostExtent)};
  require_countable(shape, node.mark);
  return shape;
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
      {"conv_transpose",
       {"out_channels", "kernel", "stride", "padding", "output_padding", "dilation", "groups"},
       &NetworkBuilder::add_transposed_convolution},
      {"dense", {"out_channels"}, &NetworkBuilder::add_dense},
      {"matmul", {"groups", "depth"}, &NetworkBuilder::add_matmul},
      {"pool", {"kernel", "stride", "padding", "dilation", "fused"}, &NetworkBuilder::add_pool},
      {"global_pool", {"fused"}, &NetworkBuilder::add_global_pool},
      {"add", {"fused"}, &NetworkBuilder::add_sum},
      {"mul", {"fused"}, &NetworkBuilder::add_product},
      {"concat", {"fused"}, &NetworkBuilder::add_concat},
      {"resize", {"size", "fused"}, &NetworkBuilder::add_resize},
      {"view", {"shape"}, &NetworkBuilder::add_view}};
  return kinds;
}

NetworkBuilder::NetworkBuilder(const Shape& input)
    : tensors_{{"input", input}}, places_{{"input", 0}}, last_("input") {
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
  layer.name = read_name(reader, "name");
  if (places_.contains(layer.name)) {
    throw io::InputError(reader.mark_of("name"), "two layers are called " + io::in_quotes(layer.name));
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
  const auto found = places_.find(name);
  if (found == places_.end()) {
    std::vector<std::string> names;
    for (const Tensor& t : tensors_) names.push_back(t.name);
    throw io::InputError(
        mark, "no layer " + io::in_quotes(name) + " before this one" + io::did_you_mean(name, names));
  }
  return tensors_[found->second];
}

std::vector<Shape> NetworkBuilder::inputs_of(const io::MapReader& reader) const {
  const io::Node* from = reader.child("from");
  if (from == nullptr) return {tensor(last_, reader.mark()).shape};
  if (from->kind != io::Node::Kind::sequence) {
    return {tensor(io::read_text(*from, "from"), from->mark).shape};
  }
  io::read_filled_list(*from, "from", "layer");
  std::vector<Shape> shapes;
  for (const io::Node& item : from->items) {
    shapes.push_back(tensor(io::read_text(item, "from"), item.mark).shape);
  }
  return shapes;
}

void NetworkBuilder::append(const io::MapReader& reader, npu::Layer layer, const Shape& output, bool fused) {
  require_countable(output, reader.mark());
  if (product_of({layer.gemm.groups, layer.gemm.r, layer.gemm.p, layer.gemm.c}) > kMostMacs) {
    throw io::InputError(reader.mark(), "layer '" + layer.name + "' has more than 2^45 multiply-accumulates");
  }
  // Packed block-diagonally, a depthwise layer takes up to `groups` times its work.
  if (layer.kind == npu::LayerKind::depthwise &&
      product_of({layer.gemm.groups, layer.gemm.groups, layer.gemm.r, layer.gemm.p}) > kMostPackedMacs) {
    throw io::InputError(
        reader.mark(), "layer '" + layer.name + "' has more than 2^50 multiply-accumulates times its groups");
  }
  macs_ += layer.useful_macs();
  if (macs_ > kMostNetworkMacs) {
    throw io::InputError(reader.mark(), "the layers up to here have more than 2^53 multiply-accumulates");
  }
  places_.emplace(layer.name, tensors_.size());
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
  require_countable(output, reader.mark());
  layer.gemm = {.groups = 1, .r = output.height * output.width, .p = 0, .c = output.channels};
  layer.mover_input_words = input_words;
  layer.mover_output_words = output.words();
  append(reader, std::move(layer), output, reader.boolean("fused", true));
}

void NetworkBuilder::add_convolution(io::MapReader& reader, npu::Layer layer) {
  const Shape input = only_input(inputs_of(reader), reader);
  const Window window = read_window(reader);
  const std::int64_t groups = reader.integer("groups", 1, kMostChannels, 1);
  const Shape output = after(window, input, reader.integer("out_channels", 1, kMostChannels), reader);
  const bool depthwise = groups > 1 && groups == input.channels;
  layer.kind = depthwise ? npu::LayerKind::depthwise : npu::LayerKind::convolution;
  layer.gemm = gemm_of({.input_channels = input.channels,
                        .output_channels = output.channels,
                        .kernel_height = window.kernel[0],
                        .kernel_width = window.kernel[1],
                        .output_height = output.height,
                        .output_width = output.width,
                        .groups = groups},
                       reader);
  const std::int64_t channels = input.channels / groups;
  layer.distinct_input_words = channels * input.height * input.width;
  if (window.kernel[0] > 1) layer.line_words = window.kernel[0] * channels * input.width;
  append(reader, std::move(layer), output, false);
}

/// As its GEMM: every position of the input gives a kernel's worth of words for each output channel, which
/// are added up where kernels overlap.
void NetworkBuilder::add_transposed_convolution(io::MapReader& reader, npu::Layer layer) {
  const Shape input = only_input(inputs_of(reader), reader);
  const Window window = read_window(reader);
  const std::vector<std::int64_t> more = read_numbers(reader, "output_padding", 0, 0, false);
  const std::int64_t groups = reader.integer("groups", 1, kMostChannels, 1);
  Shape output{reader.integer("out_channels", 1, kMostChannels), 0, 0};
  output.height = transposed_extent(input.height, window, 0, more.front(), reader);
  output.width = transposed_extent(input.width, window, 1, more.back(), reader);
  const bool depthwise = groups > 1 && groups == input.channels;
  layer.kind = depthwise ? npu::LayerKind::depthwise : npu::LayerKind::convolution;
  layer.gemm = gemm_of({.input_channels = input.channels,
                        .output_channels = output.channels,
                        .output_height = input.height,
                        .output_width = input.width,
                        .groups = groups},
                       reader);
  layer.gemm.c *= window.kernel[0] * window.kernel[1];
  append(reader, std::move(layer), output, false);
}

void NetworkBuilder::add_dense(io::MapReader& reader, npu::Layer layer) {
  const Shape input = only_input(inputs_of(reader), reader);
  const std::int64_t channels = reader.integer("out_channels", 1, kMostChannels);
  layer.kind = npu::LayerKind::dense;
  layer.gemm = {.groups = 1, .r = 1, .p = input.words(), .c = channels};
  append(reader, std::move(layer), {channels, 1, 1}, false);
}

/// `groups` products, each summing over `depth` words; what remains of the two inputs' words are the rows of
/// the first and the columns of the second.
void NetworkBuilder::add_matmul(io::MapReader& reader, npu::Layer layer) {
  const std::vector<Shape> inputs = inputs_of(reader);
  if (inputs.size() != 2)
    throw io::InputError(reader.mark_of("from"), "a product reads two layers: from: [a, b]");
  const std::int64_t groups = reader.integer("groups", 1, kMostChannels, 1);
  const std::int64_t depth = reader.integer("depth", 1, kMostChannels);
  for (const Shape& shape : inputs) {
    if (shape.words() % (groups * depth) == 0) continue;
    throw io::InputError(reader.mark_of("depth"),
                         std::to_string(shape.words()) + " words don't make up matrices for " +
                             std::to_string(groups) + " groups of depth " + std::to_string(depth));
  }
  layer.kind = npu::LayerKind::matmul;
  layer.gemm = {.groups = groups,
                .r = inputs[0].words() / (groups * depth),
                .p = depth,
                .c = inputs[1].words() / (groups * depth)};
  const Shape output{groups * layer.gemm.c, layer.gemm.r, 1};
  append(reader, std::move(layer), output, false);
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

void NetworkBuilder::add_resize(io::MapReader& reader, npu::Layer layer) {
  const Shape input = only_input(inputs_of(reader), reader);
  const std::vector<io::Node>& extents =
      io::read_list_of(reader.required("size"), "size", {2}, "[height, width]");
  layer.kind = npu::LayerKind::resize;
  append_mover(reader, std::move(layer), input.words(),
               {input.channels, io::read_integer(extents[0], "height", 1, kMostExtent),
                io::read_integer(extents[1], "width", 1, kMostExtent)});
}

void NetworkBuilder::add_view(io::MapReader& reader, npu::Layer layer) {
  only_input(inputs_of(reader), reader);
  append(reader, std::move(layer), read_shape(reader.required("shape"), "shape"), true);
}

}  // namespace fluidbatch::workloads
