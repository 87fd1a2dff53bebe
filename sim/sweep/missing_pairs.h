// The pairs of setting and system of a sweep that a results file has nothing of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sim/sweep/results_schema.h"

namespace fluidbatch::sim {

struct MissingPair {
  std::int64_t first_point = 0;
  std::string system;
  std::map<std::string, std::string> values;  ///< of the axes, by key
};

/// In the order of their numbers, with those of systems that have no point yet. None where they are more than
/// `most`, or where the file does not tell which they are: where the settings differ in their systems, or a
/// text of which no point has the value could be read in two ways.
std::vector<MissingPair> missing_pairs(Database& database, const Provenance& provenance, std::size_t most);

}  // namespace fluidbatch::sim
