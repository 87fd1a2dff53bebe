// The configuration that a point of a results file was run with.
#pragma once

#include <cstdint>
#include <filesystem>

#include "workloads/io/yaml_node.h"

namespace fluidbatch::sim {

/// Of the point of that number, resolved: its run has the point's numbers. Throws InputError where the file
/// is not one of results, or the point is not in it, or has failed.
io::Node point_configuration(const std::filesystem::path& file, std::int64_t point);

}  // namespace fluidbatch::sim
