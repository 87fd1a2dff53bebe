#include "workloads/models/onnx/onnx_movement_shapes.h"

#include <algorithm>
#include <cstdlib>

#include "workloads/models/onnx/onnx_axes.h"

namespace fluidbatch::workloads::movement {

std::vector<Dims> concat(const OnnxNode& node) {
  Dims dims = node.dims(0);
  const std::size_t axis = node.axis(node.integer("axis", 1), dims.size());
  for (std::size_t i = 1; i < node.input_count(); ++i) {
    Dims part = node.dims(i);
    if (part.size() != dims.size()) node.fail("its inputs have different numbers of dimensions");
    dims[axis] += part[axis];
    part[axis] = dims[axis];
    if (part != dims) node.fail("its inputs differ along another axis than " + std::to_string(axis));
  }
  return {dims};
}

std::vector<Dims> split(const OnnxNode& node) {
  const Dims& dims = node.dims(0);
  const std::size_t axis = node.axis(node.integer("axis", 0), dims.size());
  const auto count = static_cast<std::int64_t>(node.outputs().size());
  auto parts = node.integers_or_input("split", 1, {});
  if (!parts) return {};
  if (parts->empty()) {  // equal ones, the last one smaller where it does not come out even
    const std::int64_t part = (dims[axis] + count - 1) / count;
    parts = Dims(static_cast<std::size_t>(count), part);
    parts->back() = dims[axis] - (count - 1) * part;
  }
  std::int64_t left = dims[axis];
  std::vector<Dims> shapes;
  for (const std::int64_t part : *parts) {
    if (part < 0 || part > left) node.fail("its parts are not those of " + std::to_string(dims[axis]));
    left -= part;
    shapes.push_back(dims);
    shapes.back()[axis] = part;
  }
  if (left != 0 || shapes.size() != node.outputs().size()) {
    node.fail("its parts are not those of " + std::to_string(dims[axis]));
  }
  return shapes;
}

std::vector<Dims> slice(const OnnxNode& node) {
  const auto ranges = read_slice(node);
  if (!ranges) return {};
  Dims dims = node.dims(0);
  for (const SliceRange& range : *ranges) dims[range.axis] = range.count;
  return {dims};
}

std::vector<Dims> gather(const OnnxNode& node) {
  const Dims& data = node.dims(0);
  const Dims& indices = node.dims(1);
  const auto axis = static_cast<std::ptrdiff_t>(node.axis(node.integer("axis", 0), data.size()));
  Dims dims(data.begin(), data.begin() + axis);
  dims.insert(dims.end(), indices.begin(), indices.end());
  dims.insert(dims.end(), data.begin() + axis + 1, data.end());
  return {dims};
}

std::vector<Dims> gather_elements(const OnnxNode& node) { return {node.dims(1)}; }

std::vector<Dims> reshape(const OnnxNode& node) {
  const auto target = node.integers_or_input("shape", 1, {});
  if (!target) return {};
  const std::int64_t words = words_of(node.dims(0));
  Dims dims = *target;
  std::ptrdiff_t open = -1;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] == 0 && node.integer("allowzero", 0) == 0) {
      if (i >= node.dims(0).size()) node.fail("it keeps a dimension that its input does not have");
      dims[i] = node.dims(0)[i];
    } else if (dims[i] == -1) {
      if (open >= 0) node.fail("it leaves two dimensions open");
      open = static_cast<std::ptrdiff_t>(i);
      dims[i] = 1;
    }
  }
  const std::int64_t others = words_of(dims);
  if (open >= 0 && others > 0) dims[static_cast<std::size_t>(open)] = words / others;
  if (words_of(dims) != words) node.fail("its shape does not have the words of its input");
  return {dims};
}

std::vector<Dims> flatten(const OnnxNode& node) {
  const Dims& dims = node.dims(0);
  std::int64_t axis = node.integer("axis", 1);
  if (axis < 0) axis += static_cast<std::int64_t>(dims.size());
  if (axis < 0 || axis > static_cast<std::int64_t>(dims.size())) node.fail("its axis is out of range");
  return {{words_of({dims.begin(), dims.begin() + axis}), words_of({dims.begin() + axis, dims.end()})}};
}

std::vector<Dims> transpose(const OnnxNode& node) {
  const Dims& dims = node.dims(0);
  Dims order(dims.rbegin(), dims.rend());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(order.size() - 1 - i);
  order = node.integers("perm", order);
  Dims sorted = order;
  std::sort(sorted.begin(), sorted.end());
  Dims moved;
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (sorted.size() != dims.size() || sorted[i] != static_cast<std::int64_t>(i)) {
      node.fail("'perm' must name each dimension once");
    }
    moved.push_back(dims[static_cast<std::size_t>(order[i])]);
  }
  return {moved};
}

std::vector<Dims> squeeze(const OnnxNode& node) {
  const Dims& dims = node.dims(0);
  Dims ones;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] == 1) ones.push_back(static_cast<std::int64_t>(i));
  }
  const auto axes = read_axes(node, dims.size(), ones);
  if (!axes) return {};
  Dims left;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    const bool gone = std::find(axes->begin(), axes->end(), i) != axes->end();
    if (gone && dims[i] != 1) node.fail("it removes a dimension of size " + std::to_string(dims[i]));
    if (!gone) left.push_back(dims[i]);
  }
  return {left};
}

std::vector<Dims> unsqueeze(const OnnxNode& node) {
  Dims dims = node.dims(0);
  const auto given = node.integers_or_input("axes", 1, {});
  if (!given) return {};
  const auto axes = read_axes(node, dims.size() + given->size(), {});
  for (const std::size_t axis : *axes) {
    if (axis > dims.size()) node.fail("its axes are out of range");
    dims.insert(dims.begin() + static_cast<std::ptrdiff_t>(axis), 1);
  }
  return {dims};
}

std::vector<Dims> expand(const OnnxNode& node) {
  const auto target = node.whole_numbers(1);
  return target ? std::vector<Dims>{broadcast(node, node.dims(0), *target)} : std::vector<Dims>{};
}

std::vector<Dims> tile(const OnnxNode& node) {
  const auto repeats = node.whole_numbers(1);
  if (!repeats) return {};
  Dims dims = node.dims(0);
  if (repeats->size() != dims.size()) node.fail("it has a number for each dimension");
  for (std::size_t i = 0; i < dims.size(); ++i) dims[i] = words_of({dims[i], (*repeats)[i]});
  return {dims};
}

std::vector<Dims> pad(const OnnxNode& node) {
  auto pads = node.has("paddings") ? node.integers("paddings", {}) : node.integers_or_input("pads", 1, {});
  if (!pads) return {};
  Dims dims = node.dims(0);
  std::vector<std::size_t> axes;
  if (const auto given = node.whole_numbers(3)) {
    for (const std::int64_t axis : *given) axes.push_back(node.axis(axis, dims.size()));
  } else {
    for (std::size_t i = 0; i < dims.size(); ++i) axes.push_back(i);
  }
  if (pads->size() != 2 * axes.size()) node.fail("it has two numbers for each dimension");
  for (std::size_t i = 0; i < axes.size(); ++i) {
    for (const std::int64_t more : {(*pads)[i], (*pads)[i + axes.size()]}) {
      if (more < -kMostWords || more > kMostWords) node.fail("its padding is out of range");
      dims[axes[i]] += more;
    }
  }
  return {dims};
}

std::vector<Dims> in_blocks(const OnnxNode& node) {
  Dims dims = node.dims(0);
  const std::int64_t block = node.integer("blocksize", 0);
  if (dims.size() != 4 || block < 1 || block > 1024)
    node.fail("four dimensions and blocks from 1 to 1024 are supported");
  const bool to_space = node.op() == "DepthToSpace";
  const bool even = to_space ? dims[1] % (block * block) == 0 : dims[2] % block == 0 && dims[3] % block == 0;
  if (!even) node.fail("its blocks don't come out even");
  dims[1] = to_space ? dims[1] / (block * block) : words_of({dims[1], block * block});
  for (const std::size_t axis : {2U, 3U})
    dims[axis] = to_space ? words_of({dims[axis], block}) : dims[axis] / block;
  return {dims};
}

}  // namespace fluidbatch::workloads::movement
