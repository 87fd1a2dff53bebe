// What commands that compute something of each system of a configuration share.
#pragma once

#include <cstddef>
#include <string>

#include "sim/cli/commands.h"
#include "workloads/io/yaml_node.h"

namespace fluidbatch::sim {

struct RunConfig;

}  // namespace fluidbatch::sim

namespace fluidbatch::sim::cli {

/// Leaves the system that was asked for (`--system`) alone in `config`; its place in the list of the
/// configuration. Throws InputError where there is none of that label.
std::size_t keep_system(RunConfig& config, const std::string& label);

/// The configuration that was asked for, as it is before it is read: for places in it.
io::Node document_of(const RunArguments& arguments);

}  // namespace fluidbatch::sim::cli
