// Tables as JSON.
#pragma once

#include <string>

#include "workloads/io/column_table.h"

namespace fluidbatch::sim {

/// An object with the program's `version`, the `command` that asked for it, and `rows`, each an object with a
/// member for each column. Numbers are the shortest text that reads back, null where they are not finite.
std::string table_json(const std::string& command, const io::ColumnTable& table);

}  // namespace fluidbatch::sim
