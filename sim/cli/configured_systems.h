// What commands that compute something of each system of a configuration share.
#pragma once

#include "sim/cli/commands.h"
#include "workloads/io/yaml_node.h"

namespace fluidbatch::sim::cli {

/// The configuration that was asked for, as it is before it is read: for places in it.
io::Node document_of(const RunArguments& arguments);

/// The place that messages about an option have.
io::Mark option(const char* name);

}  // namespace fluidbatch::sim::cli
