// An NPU, and the latencies of a small network on it: never below the roofline; and their energies.
#include <cmath>

#include "npu_model/batch_policy_table.h"
#include "tests/fuzz/target.h"
#include "workloads/models/network_file.h"
#include "workloads/models/npu_file.h"

namespace fluidbatch::fuzz {
namespace {

void read(const std::string& input) {
  const npu::Npu npu = workloads::load_npu(io::Node::text(file_of("input.yaml", input).string()));
  const workloads::Network network =
      workloads::load_network(io::Node::text((workspace() / "network.yaml").string()));
  for (const npu::Mode mode : npu::all_modes()) {
    const npu::BatchPolicyTable table(network.layers, npu, mode, 3);
    for (int layer = 0; layer < table.layers(); ++layer) {
      for (int batch = 1; batch <= table.max_batch(); ++batch) {
        const npu::LayerCost& cost = table.control_block()->cost(layer, batch);
        require(cost.latency_s >= cost.roofline_s * (1 - 1e-9), "faster than the roofline");
        if (table.energies() == nullptr) continue;
        const double energy_j = table.dynamic_energy(layer, batch).total_j();
        require(energy_j >= 0 && std::isfinite(energy_j), "an energy that is below 0 or not finite");
      }
    }
  }
}

const TargetRegistration kRegistration({"npu", read});

}  // namespace
}  // namespace fluidbatch::fuzz
