// The exits of several services as one source.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "workloads/traffic/devices.h"
#include "workloads/traffic/exit_source.h"

namespace fluidbatch::workloads {

/// What speaks against a list of exits that is shorter than what may be sent for its service, one of several;
/// or nothing.
std::optional<std::string> objection_to_exit_list(const ExitSpec& exits, const Devices& devices,
                                                  std::size_t service);

/// Of several services: each request has the exit that its own service's model draws, as if that was alone.
/// There are no rates of them all. `devices` says who sends for which. Throws where a list of exits is
/// too short (objection_to_exit_list).
std::unique_ptr<ExitSpec> make_exits_by_service(std::vector<std::shared_ptr<const ExitSpec>> of_services,
                                                const Devices& devices);

}  // namespace fluidbatch::workloads
