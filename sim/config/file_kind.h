// Which of the program's files a document is: for the message where another kind is wanted.
#pragma once

#include <filesystem>

#include "workloads/io/yaml_node.h"

namespace fluidbatch::sim {

enum class FileKind { run, sweep, network, npu, board };

/// Throws InputError where `document` is plainly of another kind than `wanted`: it says what the file is, and
/// which command takes it. Whether it is a right one is for its reader to say.
void require_kind(const io::Node& document, FileKind wanted, const std::filesystem::path& file);

}  // namespace fluidbatch::sim
