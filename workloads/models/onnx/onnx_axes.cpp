#include "workloads/models/onnx/onnx_axes.h"

#include <algorithm>
#include <string>

namespace fluidbatch::workloads {

Dims broadcast(const OnnxNode& node, const Dims& a, const Dims& b) {
  Dims dims = a.size() < b.size() ? b : a;
  const Dims& shorter = a.size() < b.size() ? a : b;
  for (std::size_t i = 1; i <= shorter.size(); ++i) {
    std::int64_t& size = dims[dims.size() - i];
    const std::int64_t other = shorter[shorter.size() - i];
    if (size != other && size != 1 && other != 1) {
      node.fail("its inputs have " + std::to_string(size) + " and " + std::to_string(other) +
                " words along an axis; only 1 is repeated");
    }
    if (size == 1) size = other;
  }
  return dims;
}

std::optional<std::vector<std::size_t>> read_axes(const OnnxNode& node, std::size_t rank,
                                                  const Dims& otherwise) {
  const auto given = node.integers_or_input("axes", 1, otherwise);
  if (!given) return std::nullopt;
  std::vector<std::size_t> axes;
  for (const std::int64_t axis : *given) axes.push_back(node.axis(axis, rank));
  std::sort(axes.begin(), axes.end());
  if (std::adjacent_find(axes.begin(), axes.end()) != axes.end()) node.fail("it names an axis twice");
  return axes;
}

std::optional<std::vector<SliceRange>> read_slice(const OnnxNode& node) {
  const Dims& dims = node.dims(0);
  const auto starts = node.integers_or_input("starts", 1, {});
  const auto ends = node.integers_or_input("ends", 2, {});
  if (!starts || !ends) return std::nullopt;
  Dims all;
  for (std::size_t i = 0; i < starts->size(); ++i) all.push_back(static_cast<std::int64_t>(i));
  const auto axes = node.integers_or_input("axes", 3, all);
  const auto steps = node.integers_or_input("steps", 4, Dims(starts->size(), 1));
  if (!axes || !steps) return std::nullopt;
  if (ends->size() != starts->size() || axes->size() != starts->size() || steps->size() != starts->size()) {
    node.fail("it has a start, an end, an axis and a step for each slice");
  }
  std::vector<SliceRange> ranges;
  for (std::size_t i = 0; i < starts->size(); ++i) {
    SliceRange range{.axis = node.axis((*axes)[i], dims.size()), .step = (*steps)[i]};
    if (range.step == 0 || std::abs(range.step) > kMostWords) node.fail("its steps must not be 0");
    const std::int64_t size = dims[range.axis];
    const bool forwards = range.step > 0;
    const auto place = [&](std::int64_t index, double least) {
      const double from_start = static_cast<double>(index) + (index < 0 ? static_cast<double>(size) : 0);
      const double last = static_cast<double>(size) - (forwards ? 0 : 1);
      return static_cast<std::int64_t>(std::clamp(from_start, least, std::max(last, least)));
    };
    range.first = place((*starts)[i], 0);
    const std::int64_t end = place((*ends)[i], forwards ? 0 : -1);
    const std::int64_t room = forwards ? end - range.first : range.first - end;
    const std::int64_t step = std::abs(range.step);
    range.count = room <= 0 || size == 0 ? 0 : (room + step - 1) / step;
    ranges.push_back(range);
  }
  return ranges;
}

}  // namespace fluidbatch::workloads
