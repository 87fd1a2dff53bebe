// The key of a configuration that a search for its capacity raises.
#pragma once

#include <string>
#include <vector>

#include "workloads/io/yaml_node.h"

namespace fluidbatch::sim {

/// The key that is raised where none is given: `workload.arrivals.rho`, `.rate_hz` or `.load`, whichever the
/// configuration has; one from the command line beats those of the file. Of a configuration with services and
/// groups of devices it is `services`: the rates of all. Throws InputError, with what else could be raised,
/// where it has none of them.
std::string default_capacity_key(const io::Node& document);

/// All that can be raised.
std::vector<std::string> capacity_keys(const io::Node& document);

/// Throws InputError where `key` is not a number of the workload that makes it heavier when it is raised,
/// such as a rate or a count of devices, nor stands for several rates (scaled_rates.h); with those that the
/// configuration has.
void check_capacity_key(const io::Node& document, const std::string& key);

/// The value that the configuration has under the key; `whole`: it takes whole numbers. Of several rates it
/// is the factor 1. Throws InputError.
double capacity_start(const io::Node& document, const std::string& key, bool whole);

/// The configuration with another value under the key.
io::Node with_capacity_value(const io::Node& document, const std::string& key, double value, bool whole);

}  // namespace fluidbatch::sim
