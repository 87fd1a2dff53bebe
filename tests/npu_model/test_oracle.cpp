// The closed form against the tile-by-tile loop of tests/support, which shares no code with it.
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "npu_model/batch_policy_table.h"
#include "sim/config/npu_file.h"
#include "tests/support/random_npus.h"
#include "tests/support/tile_loop.h"
#include "workloads/io/shipped_files.h"

using namespace fluidbatch;

namespace {

test::TileLoopResult loop_of(const npu::Layer& layer, const npu::Npu& npu, int batch, npu::BatchPolicy policy,
                             std::int64_t packed_groups, test::TileLoopOptions options = {}) {
  // Of products of activations there are as many as samples: no block is padded with an empty one.
  if (layer.kind == npu::LayerKind::matmul) policy.b_r = batch, policy.b_p = 1;
  return test::run_tile_loop(layer, npu, policy, packed_groups, options);
}

/// Requires equal cycles and words; the ratio of the latencies, closed form / loop.
double compare(const npu::Layer& layer, const npu::Npu& npu, int batch, const npu::BatchPolicy& policy) {
  const npu::LayerCost cost = npu::layer_cost(layer, npu, batch, policy);
  const test::TileLoopResult loop = loop_of(layer, npu, batch, policy, cost.packed_groups);
  INFO("<" << npu.t_r << ", " << npu.t_p << ", " << npu.t_c << "> batch " << batch << " <" << policy.b_r
           << ", " << policy.b_p << ", " << policy.k << ", " << npu::name_of(policy.residency) << ">; "
           << layer.gemm.groups << " of " << layer.gemm.r << " x " << layer.gemm.p << " x " << layer.gemm.c
           << ", packed " << cost.packed_groups);
  REQUIRE(cost.compute_cycles == loop.compute_cycles);
  REQUIRE(static_cast<double>(cost.input_words) == Approx(loop.input_words).epsilon(1e-9));
  REQUIRE(static_cast<double>(cost.weight_words) == Approx(loop.weight_words).epsilon(1e-12));
  REQUIRE(cost.output_words == loop.output_words);
  REQUIRE(cost.latency_cycles >= cost.roofline_cycles * (1 - 1e-12));
  REQUIRE(loop.latency_cycles >= cost.roofline_cycles * (1 - 1e-9));
  if (cost.feasible) {
    REQUIRE(npu::feasible_latency_cycles(layer, npu, batch, policy) == cost.latency_cycles);
  }
  return cost.latency_cycles / loop.latency_cycles;
}

/// The ratios of `cases` random layers, ascending.
std::vector<double> random_ratios(int cases) {
  test::RandomCases random(20240917);
  std::vector<double> ratios;
  for (int i = 0; i < cases; ++i) {
    const npu::Npu npu = random.npu();
    npu::Layer layer = random.layer();
    if (random.one_in(8)) layer.kind = npu::LayerKind::matmul;
    const int batch = static_cast<int>(random.pick(1, 8));
    INFO("case " << i);
    ratios.push_back(compare(layer, npu, batch, random.policy(npu, batch)));
  }
  std::sort(ratios.begin(), ratios.end());
  return ratios;
}

double quantile(const std::vector<double>& sorted, double q) {
  return sorted[static_cast<std::size_t>(q * static_cast<double>(sorted.size() - 1))];
}

/// Closed form over loop of a whole network, each layer under the mode's choice.
double whole_network(const npu::BatchPolicyTable& table, int batch,
                     test::TileLoopOptions options = {}) {
  double closed = 0;
  double looped = 0;
  for (int l = 0; l < table.layers(); ++l) {
    const npu::LayerCost& cost = table.cost(l, batch);
    REQUIRE_FALSE(npu::is_mover(table.layer(l).kind));
    closed += cost.latency_cycles;
    looped +=
        loop_of(table.layer(l), *table.npu(), batch, table.policy(l, batch), cost.packed_groups, options)
            .latency_cycles;
  }
  return closed / looped;
}

/// A shipped NPU that keeps on the chip what pays, as far as its board's memory goes, behind line buffers.
npu::Npu with_memory(npu::Npu npu) {
  npu.on_chip_bytes = sim::load_board(test::named(npu.board)).on_chip_bytes;
  npu.residency = std::nullopt;
  npu.input_path = npu::InputPath::line_buffer;
  return npu;
}

/// Calls `visit` with each shipped NPU, each shipped early-exit network and the two ends of the modes.
template <typename Visit>
void for_each_network(const std::vector<std::string>& networks, bool memory, const Visit& visit) {
  for (const std::string& npu_name : io::shipped_names("npus")) {
    const npu::Npu shipped = sim::load_npu(test::named(npu_name));
    const npu::Npu npu = memory ? with_memory(shipped) : shipped;
    for (const std::string& network_name : networks) {
      const workloads::Network network = test::shipped_network(network_name);
      for (const npu::Mode mode : {npu::Mode::r, npu::Mode::fluid_stacked}) {
        visit(network_name, npu_name, network, npu::BatchPolicyTable(network.layers, npu, mode, 8));
      }
    }
  }
}

}  // namespace

TEST_CASE("x", "[.explore]") {
  for (bool memory : {false, true}) {
  for_each_network(io::shipped_names("networks"), memory,
                   [&](const std::string& network_name, const std::string& npu_name,
                      const workloads::Network& network, const npu::BatchPolicyTable& table) {
                     std::printf("%d %-16s %-14s %-14s", memory, network_name.c_str(), npu_name.c_str(),
                                 std::string(table.mode_name()).c_str());
                     for (int batch = 1; batch <= 8; ++batch)
                       std::printf(" %.4f", whole_network(table, batch));
                     std::printf("\n"); std::fflush(stdout);
                   });
  }
}

TEST_CASE("cycles and words equal those of the tile-by-tile loop", "[npu_model][oracle]") {
  const std::vector<double> ratios = random_ratios(1'500);
  CHECK(quantile(ratios, 0.5) == Approx(1).epsilon(0.01));
}
