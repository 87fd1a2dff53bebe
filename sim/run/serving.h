// The serving core that collects a run's statistics.
#pragma once

#include <memory>

#include "sim/core/observer.h"
#include "sim/core/server.h"
#include "sim/core/server_options.h"
#include "sim/measure/recorder.h"
#include "workloads/traffic/request_stream.h"

namespace fluidbatch::sim {

/// What a serving core works with. All that is referred to must outlive it.
struct ServingParts {
  const npu::BatchPolicyTable& table;
  ServerOptions options;
  scheduler::Policy& policy;
  workloads::RequestStream& stream;
  Recorder& recorder;            ///< collects the statistics
  Observer* observer = nullptr;  ///< where not null, is told of everything after the recorder
  ExitSource exits = {};
};

/// At date 0.
std::unique_ptr<SingleServer> make_server(const ServingParts& parts);

/// A core that goes on from `state`, which is copied. The policy, the exit control, the stream and the
/// recorder are copies from where the state was taken, of the same moment.
std::unique_ptr<SingleServer> make_server(const ServingParts& parts, const ServerState& state);

}  // namespace fluidbatch::sim
