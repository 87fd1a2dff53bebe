// The values of an axis given as `{from, to, step}`.
#pragma once

#include <string>
#include <vector>

#include "workloads/io/yaml_node.h"

namespace fluidbatch::sim {

/// from, from + step, .. up to and with `to`, in decimal arithmetic: 0.1 + 2 * 0.1 is 0.3, and seeds of any
/// size are exact. `what` names the axis in messages. Throws InputError.
std::vector<io::Node> range_values(const io::Node& range, const std::string& what);

}  // namespace fluidbatch::sim
