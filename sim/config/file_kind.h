// The kinds of the program's files, and what is said of a file of another kind than the one that is wanted.
#pragma once

#include <filesystem>

#include "workloads/io/yaml_node.h"

namespace fluidbatch::sim {

enum class FileKind { run, sweep, network, npu, board };

/// Reads a YAML file of that kind. Throws InputError where it is not valid YAML or plainly of another kind:
/// it says what the file is, and which command takes it. Whether it is a right one is for its reader to say.
io::Node load_document(const std::filesystem::path& file, FileKind wanted);

}  // namespace fluidbatch::sim
