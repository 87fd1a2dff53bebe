// A configuration of which one system alone is wanted.
#pragma once

#include <cstddef>
#include <string>

#include "workloads/io/yaml_node.h"

namespace fluidbatch::sim {

struct RunConfig;

/// Leaves the system called `label` alone in `config`; its place in the list of the configuration. Throws
/// InputError at `mark`, where the label was asked for, where there is none of that label.
std::size_t keep_system(RunConfig& config, const std::string& label, const io::Mark& mark);

}  // namespace fluidbatch::sim
