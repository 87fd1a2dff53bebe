// Networks from their YAML.
#pragma once

#include <string>

#include "workloads/io/installed_copy.h"
#include "workloads/io/yaml_node.h"
#include "workloads/models/network.h"

namespace fluidbatch::workloads {

/// Reads a shipped network (by name) or a network's YAML (by path). docs/configuration.md has the keys.
/// Throws InputError.
Network load_network(const io::Node& name_or_path);

/// The same from a document that has been read already; `otherwise` is its name where it gives none.
Network read_network(const io::Node& document, const std::string& otherwise);

}  // namespace fluidbatch::workloads
