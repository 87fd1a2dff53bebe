#include "sim/run/serving.h"

#include "sim/core/server_impl.h"

namespace fluidbatch::sim {

// Instantiated here and nowhere else, implicitly: of an explicit instantiation GCC flattens nothing.
std::unique_ptr<ServingCore> make_server(const npu::BatchPolicyTable& table, const ServerOptions& options,
                                         scheduler::Policy& policy, workloads::RequestStream& stream,
                                         Recorder& recorder, Observer* observer) {
  return std::make_unique<Server<Recorder>>(table, options, policy, stream, recorder, observer);
}

}  // namespace fluidbatch::sim
