// What readers say of several keys of one map at once, beyond "one of these": for schemas, as JSON.
#pragma once

#include <string>
#include <string_view>

#include "sim/config/file_kind.h"

namespace fluidbatch::sim {

/// Schemas that the map called `map`, in files of that kind, must fulfil besides, as the items of a JSON
/// array; or nothing.
std::string_view relations_of(FileKind kind, std::string_view map);

/// Likewise instead of what its reader has asked for, where its keys are the user's names; or nothing.
std::string_view keys_of_the_user(std::string_view map);

}  // namespace fluidbatch::sim
