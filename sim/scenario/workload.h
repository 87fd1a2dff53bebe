// The requests of a run.
#pragma once

#include <memory>

#include "sim/scenario/scenario.h"
#include "workloads/traffic/request_stream.h"
#include "workloads/traffic/sent_requests.h"

namespace fluidbatch::sim {

/// What the devices send. `scenario` must outlive it.
workloads::SentRequests sent_requests(const Scenario& scenario);

/// The same as it comes to the server. Uplink `simgrid` is computed as `analytic`, which agrees to 1e-9 s.
/// `scenario` must outlive it.
std::unique_ptr<workloads::RequestStream> arriving_requests(const Scenario& scenario);

}  // namespace fluidbatch::sim
