// The requests of a run.
#pragma once

#include <memory>

#include "sim/scenario/scenario.h"
#include "workloads/traffic/request_stream.h"
#include "workloads/traffic/sent_requests.h"

namespace fluidbatch::sim {

/// What the devices send, with exits from `exits`: Scenario::exits, or a system's own. Both must outlive it.
workloads::SentRequests sent_requests(const Scenario& scenario, const workloads::ExitSpec& exits);

/// The same as it comes to the server. Uplink `simgrid` is computed as `analytic`, which agrees to 1e-9 s.
/// Both must outlive it.
std::unique_ptr<workloads::RequestStream> arriving_requests(const Scenario& scenario,
                                                            const workloads::ExitSpec& exits);

}  // namespace fluidbatch::sim
