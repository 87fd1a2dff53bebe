// The key `exit_control` of a system or a service.
#pragma once

#include "sim/scenario/scenario.h"
#include "workloads/io/yaml_node.h"

namespace fluidbatch::sim {

/// Reads an exit control; the map with its defaults goes to `resolved`. Throws InputError.
ExitControlChoice read_exit_control(const io::Node& node, io::Node& resolved);

}  // namespace fluidbatch::sim
