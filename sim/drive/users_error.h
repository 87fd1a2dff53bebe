// Which exceptions a user can do something about.
#pragma once

#include <exception>
#include <optional>
#include <string>

namespace fluidbatch::sim {

inline constexpr const char* kNoMemory =
    "there is not enough memory for this; ask for fewer requests, a smaller max_batch or fewer --jobs";

/// What to tell the user of `error` where that is not a bug of ours: wrong input, a path that the file system
/// refuses, too little memory, another error of the system. Nothing otherwise.
std::optional<std::string> users_error(const std::exception& error);

}  // namespace fluidbatch::sim
