// The rates of many devices, raised together.
#pragma once

#include <string>
#include <vector>

#include "workloads/io/yaml_node.h"

namespace fluidbatch::sim {

/// What stands for the rates of several groups of devices, where a configuration has services: `services` for
/// all of them, and `services.NAME` for those of one service. Its value is a factor.
std::vector<std::string> rates_keys(const io::Node& document);

/// Throws InputError where `key` is one of rates_keys and a group that it speaks of has no rate: a trace has
/// dates, and a closed loop waits for answers.
void check_rates(const io::Node& document, const std::string& key);

/// The configuration with all rates that `key` speaks of multiplied by `factor`, whatever they are relative
/// to.
io::Node with_scaled_rates(const io::Node& document, const std::string& key, double factor);

}  // namespace fluidbatch::sim
