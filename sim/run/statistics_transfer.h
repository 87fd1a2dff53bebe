// Statistics on their way from a child process to its parent.
#pragma once

#include <string>

#include "sim/measure/statistics.h"

namespace fluidbatch::sim {

/// The same build is on both sides, so the bytes of the numbers will do.
std::string to_bytes(const RunStatistics& statistics);
RunStatistics from_bytes(const std::string& bytes);

}  // namespace fluidbatch::sim
