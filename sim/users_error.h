// Which exceptions a user can do something about.
#pragma once

#include <exception>
#include <optional>
#include <string>

namespace fluidbatch::sim {

/// What to tell the user of `error` where that is no bug of ours: wrong input, a path that the file system
/// refuses, too little memory. Nothing otherwise.
std::optional<std::string> users_error(const std::exception& error);

}  // namespace fluidbatch::sim
