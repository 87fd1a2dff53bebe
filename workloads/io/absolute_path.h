// A path as the system understands it.
#pragma once

#include <filesystem>

namespace fluidbatch::io {

/// `path` from the root, without `.`, and without a folder and the `..` behind it, unless that folder is a
/// symbolic link or missing: there `..` is where the system says. Throws InputError where there is no current
/// folder.
std::filesystem::path absolute_path(const std::filesystem::path& path);

}  // namespace fluidbatch::io
