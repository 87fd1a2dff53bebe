// Merges the results of the parts of a sweep.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace fluidbatch::sim {

struct MergeOutcome {
  std::int64_t points = 0;   ///< in the merged file
  std::int64_t failed = 0;   ///< of these
  std::int64_t missing = 0;  ///< that the sweep has and no part does
};

/// Writes the points of `files` to `out`, which must not exist yet: beside it first, under a name that
/// nothing else has. Throws InputError where the files are of different sweeps, have the same point with
/// different results, or lack points of the sweep and not `partial`; then nothing is written. A part is only
/// read, also one that a killed sweep has left with its log.
MergeOutcome merge_results(const std::vector<std::filesystem::path>& files, const std::filesystem::path& out,
                           bool partial);

}  // namespace fluidbatch::sim
