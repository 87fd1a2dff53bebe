// JSON Schemas (draft 2020-12) of the files that the program reads, for editors and for checks before a run.
#pragma once

#include <string>
#include <vector>

#include "sim/config/file_kind.h"

namespace fluidbatch::sim {

/// The kinds by name: run, sweep, network, npu, board.
const std::vector<std::string>& schema_kinds();
FileKind schema_kind(const std::string& name);

/// The schema, made from what the reader asks for; policies and the like are those that are registered now.
/// What it does not say, and the reader does, is in docs/schemas.md. Throws std::logic_error where a reader
/// allows a key, or a kind, that no probe has made it ask for.
std::string json_schema(FileKind kind);

}  // namespace fluidbatch::sim
