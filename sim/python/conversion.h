// Values between Python and the plain tree that configurations are read from.
#pragma once

#include <string>

#include <pybind11/pybind11.h>

#include "workloads/io/yaml_node.h"

namespace fluidbatch::python {

/// A value of Python's (None, bool, int, float, str, a path, a list, a dict, or one of NumPy's that turns
/// into one of these) as a node, whose place is `place`, and below it `place['key']` or `place[0]`. Throws
/// io::InputError at the place of anything else.
io::Node node_of(pybind11::handle value, const std::string& place);

/// The value that a node's text stands for: None, bool, int, float, str, list or dict.
pybind11::object object_of(const io::Node& node);

/// What commands read as one argument: a name or a path, relative to the current folder. `place` names it in
/// messages.
io::Node name_node(pybind11::handle name_or_path, const std::string& place);

}  // namespace fluidbatch::python
