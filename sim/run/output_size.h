// How large the outputs of a run are going to be, before it starts.
#pragma once

#include <string>

namespace fluidbatch::sim {

struct RunOptions;
struct Scenario;

/// Throws io::InputError where the disk can't hold what `options` asks for, or where series.csv would have
/// more rows than Series takes, as far as the length of the run is known. Returns a line that says the size
/// where it is large, and nothing otherwise.
std::string check_output_sizes(const Scenario& scenario, const RunOptions& options);

}  // namespace fluidbatch::sim
