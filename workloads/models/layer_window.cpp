#include "workloads/models/layer_window.h"

namespace fluidbatch::workloads {
namespace {

constexpr std::int64_t kMostKernel = 1 << 10;

void read_pair(const io::MapReader& reader, const std::string& key, std::int64_t (&pair)[2]) {
  const std::vector<std::int64_t> numbers = read_numbers(reader, key, 1, 1, false);
  pair[0] = numbers.front();
  pair[1] = numbers.back();
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

}  // namespace

std::vector<std::int64_t> read_numbers(const io::MapReader& reader, const std::string& key, std::int64_t min,
                                       std::int64_t default_value, bool four_allowed) {
  const io::Node* node = reader.child(key);
  if (node == nullptr) return {default_value};
  if (node->kind != io::Node::Kind::sequence) return {io::read_integer(*node, key, min, kMostKernel)};
  std::vector<std::int64_t> numbers;
  const auto& items =
      four_allowed
          ? io::read_list_of(*node, key, {2, 4}, "a number or [height, width] or [top, left, bottom, right]")
          : io::read_list_of(*node, key, {2}, "a number or [height, width]");
  numbers.reserve(items.size());
  for (const io::Node& item : items) numbers.push_back(io::read_integer(item, key, min, kMostKernel));
  return numbers;
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

Shape after(const Window& window, const Shape& input, std::int64_t channels, const io::MapReader& reader) {
  return {channels, output_extent(input.height, window, 0, reader),
          output_extent(input.width, window, 1, reader)};
}

std::int64_t transposed_extent(std::int64_t input, const Window& window, int axis, std::int64_t more,
                               const io::MapReader& reader) {
  const std::int64_t reach = window.dilation[axis] * (window.kernel[axis] - 1) + 1;
  const std::int64_t output = (input - 1) * window.stride[axis] + reach + more - window.padding[axis];
  if (output < 1) throw io::InputError(reader.mark_of("padding"), "the padding leaves nothing of the output");
  return output;
}

}  // namespace fluidbatch::workloads
