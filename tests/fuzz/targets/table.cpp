// A measured table of latencies, for the small network.
#include "npu_model/batch_policy_table.h"
#include "sim/config/npu_choice.h"
#include "tests/fuzz/target.h"
#include "workloads/models/network_file.h"

namespace fluidbatch::fuzz {
namespace {

void read(const std::string& input) {
  constexpr int kMaxBatch = 2;
  const workloads::Network network =
      workloads::load_network(io::Node::text((workspace() / "network.yaml").string()));
  const Eigen::ArrayXXd latencies_s =
      sim::load_latency_table(file_of("input.csv", input), network.layers, kMaxBatch);
  const npu::BatchPolicyTable table(network.layers, latencies_s);
  for (int batch = 1; batch <= kMaxBatch; ++batch) {
    // The whole may be too long, which the configuration refuses.
    require(table.latency_s(0, table.layers(), batch) >= 0, "no latency of the whole");
  }
}

const TargetRegistration kRegistration({"table", read});

}  // namespace
}  // namespace fluidbatch::fuzz
