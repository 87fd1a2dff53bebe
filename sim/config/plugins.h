// Policies, exit controls, arbiters and routers of the user's own, in shared objects that are loaded when the
// program runs.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "workloads/io/yaml_node.h"

namespace fluidbatch::sim {

/// Loads the shared object that `path` names (io::resolve_path), unless this process has already, so that
/// what it registers is known; returns its absolute path. Throws InputError at its place where there is no
/// such file, it can't be loaded, was compiled with other headers than this program, or brings nothing, or
/// something whose name is taken. A plug-in is code, and is trusted as the program is.
std::filesystem::path load_plugin(const io::Node& path);

/// Loads those of `plugins`, a list of paths; returns it with absolute paths.
io::Node load_plugins(const io::Node& plugins);

/// Adds `paths`, which --plugin gave, to the `plugins` of a configuration. Throws InputError.
void add_plugins(io::Node& document, const std::vector<std::string>& paths);

}  // namespace fluidbatch::sim
