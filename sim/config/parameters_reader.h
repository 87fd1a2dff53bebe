// Parameters of policies and exit controls from a configuration.
#pragma once

#include <string>
#include <vector>

#include "scheduler/parameters.h"
#include "workloads/io/map_reader.h"

namespace fluidbatch::sim {

/// `first` and the names of `parameters`: the keys of a map of them.
std::vector<std::string> keys_of(const std::string& first,
                                 const std::vector<scheduler::Parameter>& parameters);

/// The values of `parameters`, which `reader` resolves with their defaults. Throws InputError.
scheduler::ParameterValues read_parameters(io::MapReader& reader,
                                           const std::vector<scheduler::Parameter>& parameters);

}  // namespace fluidbatch::sim
