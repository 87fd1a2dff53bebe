// Scenarios that tests start from; a case sets only what it is about.
#pragma once

#include <string>
#include <vector>

#include "sim/scenario/builder.h"
#include "tests/support/examples.h"
#include "workloads/models/npu_file.h"

namespace fluidbatch::test {

using workloads::Rate;

inline npu::Npu shipped_npu(const std::string& name) { return workloads::load_npu(named(name)); }

/// A shipped network on the NPU that configurations have by default.
inline sim::ScenarioBuilder scenario_of(const std::string& network) {
  return sim::ScenarioBuilder().network(shipped_network(network)).npu(shipped_npu("zu7ev_large"));
}

/// Exit rates of the shipped networks with three early exits, as examples have them.
inline const std::vector<double> kExampleRates{0.3, 0.35, 0.4};

}  // namespace fluidbatch::test
