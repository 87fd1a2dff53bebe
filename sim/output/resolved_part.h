// The part of a resolved configuration that one of its systems needs.
#pragma once

#include <cstddef>

#include "workloads/io/yaml_node.h"

namespace fluidbatch::sim {

/// `resolved` with system `index` only: running it gives that system's run again.
inline io::Node resolved_part(const io::Node& resolved, std::size_t index) {
  io::Node part = resolved;
  io::Node& systems = *part.find("systems");
  systems.items = {io::Node(systems.items[index])};
  return part;
}

}  // namespace fluidbatch::sim
