// Early exits for an imported network, which has none of its own.
#pragma once

#include <cstdint>
#include <string>

#include "workloads/io/yaml_node.h"

namespace fluidbatch::workloads {

/// An early exit with a head as the shipped networks have: as in MSDNet, two 3 x 3 convolutions of stride 2
/// to 128 channels, pooling, a dense layer.
io::Node exit_with_head(const std::string& name, const std::string& after, std::int64_t classes);

}  // namespace fluidbatch::workloads
