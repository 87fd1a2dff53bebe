// `--set a.b=c`: edits of a configuration from the command line.
#pragma once

#include <string>

#include "workloads/io/yaml_node.h"

namespace fluidbatch::sim {

/// Applies `assignment` (KEY=VALUE, VALUE in YAML) to a configuration. KEY is a path of map keys, joined by
/// dots; an element of a list goes by its number from 0, or by its `label` or, without one, its `name`. Maps
/// on the way that are not there are made. Setting a `kind` (or the `name` of a policy, an arbiter or a
/// router) to something else drops the keys of the other kind that the file gave. Throws InputError.
void apply_override(io::Node& document, const std::string& assignment);

/// The node under `key` (as KEY above); an empty one, made on the way, where there is none. Throws InputError
/// at `mark`.
io::Node& value_at(io::Node& document, const std::string& key, const io::Mark& mark);

/// `apply_override` for a value that has been read already.
void set_value(io::Node& document, const std::string& key, io::Node value, const io::Mark& mark);

}  // namespace fluidbatch::sim
