// Documents that the readers are asked about: together they have every key of a kind of files.
#pragma once

#include <string>
#include <vector>

#include "sim/config/file_kind.h"

namespace fluidbatch::sim {

/// YAML texts of that kind. Those that name files need not be good: what a reader asks before it refuses one
/// counts, too. Parameters of policies and the like are those that are registered now.
std::vector<std::string> probes_of(FileKind kind);

}  // namespace fluidbatch::sim
