// The bytes of a file that a user named.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace fluidbatch::io {

/// No input may be larger; a reader of small files gives a lower bound.
inline constexpr std::uint64_t kMostFileBytes = std::uint64_t{4} << 30;

/// The whole content of `file`. Throws InputError where there is none, where it is a folder, a pipe or a
/// device (which might never end), larger than `most_bytes`, or where reading fails on the way: a file is
/// never cut in silence.
std::string read_file(const std::filesystem::path& file, std::uint64_t most_bytes = kMostFileBytes);

}  // namespace fluidbatch::io
