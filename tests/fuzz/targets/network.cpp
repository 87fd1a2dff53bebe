// A network, and its latencies on a small NPU.
#include <utility>

#include "npu_model/batch_policy_table.h"
#include "tests/fuzz/target.h"
#include "workloads/models/network_file.h"
#include "workloads/models/npu_file.h"

namespace fluidbatch::fuzz {
namespace {

void read(const std::string& input) {
  io::Node path = io::Node::text(file_of("input.yaml", input).string());
  const workloads::Network network = workloads::load_network(path);
  require(network.macs() >= 0 && network.weights() >= 0 && network.input_words > 0, "a count has overflown");
  const io::Node npu = io::Node::text((workspace() / "npu.yaml").string());
  const npu::BatchPolicyTable table(network.layers, workloads::load_npu(npu), npu::Mode::fluid_stacked, 2);
  require(table.single_sample_latency_s() > 0, "a network takes no time");
}

const TargetRegistration kRegistration({"network", read});

}  // namespace
}  // namespace fluidbatch::fuzz
