#include "sim/python/conversion.h"

#include <cmath>

#include "workloads/io/input_error.h"
#include "workloads/io/text_number.h"

namespace fluidbatch::python {
namespace {

namespace py = pybind11;
using io::Node;

io::Mark mark_of(const std::string& place) { return {.source = place, .line = 0, .column = 0}; }

Node map_of(const py::dict& values, const std::string& place) {
  Node map = Node::map();
  for (const auto& [key, value] : values) {
    if (!py::isinstance<py::str>(key)) {
      throw io::InputError(mark_of(place), "a key must be a str, found " + std::string(py::repr(key)));
    }
    const auto name = key.cast<std::string>();
    std::string below = place;
    below.append("['").append(name).append("']");
    map.put(name, node_of(value, below));
    map.entries.back().key_mark = mark_of(below);
  }
  return map;
}

Node sequence_of(const py::handle& values, const std::string& place) {
  Node sequence = Node::sequence();
  std::size_t index = 0;
  for (const py::handle value : values) {
    sequence.items.push_back(node_of(value, place + "[" + std::to_string(index++) + "]"));
  }
  return sequence;
}

Node integer_of(py::handle value, const std::string& place) {
  try {
    return Node::integer(value.cast<long long>());
  } catch (const py::cast_error&) {
    throw io::InputError(mark_of(place),
                         "a whole number of more than 64 bits: " + std::string(py::repr(value)));
  }
}

Node unplaced_node(py::handle value, const std::string& place) {
  if (value.is_none()) return {};
  if (py::isinstance<py::bool_>(value)) return Node::boolean(value.cast<bool>());
  if (py::isinstance<py::int_>(value)) return integer_of(value, place);
  if (py::isinstance<py::float_>(value)) return Node::number(value.cast<double>());
  if (py::isinstance<py::str>(value)) return Node::text(value.cast<std::string>());
  if (py::isinstance<py::dict>(value)) return map_of(py::reinterpret_borrow<py::dict>(value), place);
  if (py::isinstance<py::list>(value) || py::isinstance<py::tuple>(value)) return sequence_of(value, place);
  if (py::hasattr(value, "__fspath__")) return Node::text(value.attr("__fspath__")().cast<std::string>());
  if (py::hasattr(value, "tolist")) return node_of(value.attr("tolist")(), place);  // of NumPy
  throw io::InputError(mark_of(place),
                       "a configuration has None, bool, int, float, str, list and dict, found " +
                           std::string(py::str(py::type::of(value).attr("__name__"))));
}

py::object scalar_of(const Node& node) {
  if (node.quoted) return py::str(node.scalar);
  if (node.scalar == "true" || node.scalar == "false") return py::bool_(node.scalar == "true");
  if (const auto integer = io::parse_integer(node.scalar)) return py::int_(*integer);
  if (const auto number = io::parse_number(node.scalar)) return py::float_(*number);
  return py::str(node.scalar);
}

}  // namespace

Node node_of(py::handle value, const std::string& place) {
  Node node = unplaced_node(value, place);
  node.mark = mark_of(place);
  return node;
}

py::object object_of(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
      return py::none();
    case Node::Kind::scalar:
      return scalar_of(node);
    case Node::Kind::sequence: {
      py::list list;
      for (const Node& item : node.items) list.append(object_of(item));
      return list;
    }
    case Node::Kind::map: {
      py::dict dict;
      for (const Node::Entry& entry : node.entries) dict[py::str(entry.key)] = object_of(entry.value);
      return dict;
    }
  }
  return py::none();
}

Node name_node(py::handle name_or_path, const std::string& place) {
  const bool is_path = py::hasattr(name_or_path, "__fspath__");
  if (!is_path && !py::isinstance<py::str>(name_or_path)) {
    throw io::InputError(mark_of(place),
                         "must be a name or a path, found " + std::string(py::repr(name_or_path)));
  }
  auto text = (is_path ? name_or_path.attr("__fspath__")() : py::reinterpret_borrow<py::object>(name_or_path))
                  .cast<std::string>();
  // A path object is one, even where its text looks like a name.
  if (is_path && text.find('/') == std::string::npos) text.insert(0, "./");
  Node node = Node::text(std::move(text));
  node.mark = mark_of(place);
  return node;
}

}  // namespace fluidbatch::python
