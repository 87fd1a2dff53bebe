// The serving core that collects a run's statistics.
#pragma once

#include <memory>

#include "sim/core/observer.h"
#include "sim/core/server_options.h"
#include "sim/core/serving_core.h"
#include "sim/measure/recorder.h"
#include "workloads/traffic/request_stream.h"

namespace fluidbatch::sim {

/// All references must outlive the core. `recorder` collects the statistics; `observer`, where not null, is
/// told of everything after it.
std::unique_ptr<ServingCore> make_server(const npu::BatchPolicyTable& table, const ServerOptions& options,
                                         scheduler::Policy& policy, workloads::RequestStream& stream,
                                         Recorder& recorder, Observer* observer = nullptr);

}  // namespace fluidbatch::sim
