// Where a configuration says something of its workload, or of its NPUs.
#pragma once

#include <string>

#include "workloads/io/yaml_node.h"

namespace fluidbatch::sim {

/// The place of the value of `key` in the workload of `document`, a configuration; of `devices` where these
/// are in place of `arrivals`, and of all the workload where neither is given.
io::Mark place_in_workload(const io::Node& document, const std::string& key);

/// The place of the first `npus` of a system.
io::Mark place_of_npus(const io::Node& document);

}  // namespace fluidbatch::sim
