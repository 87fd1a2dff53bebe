// Where a program of a user's own, which may be anywhere, finds the files that the library was installed
// with. Included by the headers of what reads these files.
#pragma once

#include <filesystem>

namespace fluidbatch::io {

/// Says that this program was compiled with the installed copy that has `header`, this one.
bool compiled_with(const std::filesystem::path& header);

#ifdef FLUIDBATCH_INSTALLED  // by the installed files for CMake and pkg-config
inline const bool kCompiledWithInstalledCopy = compiled_with(__FILE__);
#endif

}  // namespace fluidbatch::io
