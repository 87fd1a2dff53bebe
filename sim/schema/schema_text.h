// What was asked of a kind of files, as a JSON Schema.
#pragma once

#include <string>

#include "sim/config/file_kind.h"
#include "workloads/io/reading_record.h"

namespace fluidbatch::sim {

/// The schema (draft 2020-12) of the files of that kind, of which `record` holds what their reader asks.
/// Throws std::logic_error where it allows a key, or a kind, that it was never made to ask for.
std::string schema_text(FileKind kind, const char* title, const io::ReadingRecord& record);

}  // namespace fluidbatch::sim
