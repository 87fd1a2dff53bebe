// The closed form against the tile-by-tile loop of tests/support, which shares no code with it.
#include <algorithm>
#include <cstdio>
#include <vector>

#include <catch2/catch.hpp>

#include "npu_model/batch_policy_table.h"
#include "sim/config/npu_file.h"
#include "tests/support/random_npus.h"
#include "tests/support/tile_loop.h"
#include "workloads/io/shipped_files.h"

using namespace fluidbatch;

namespace {

/// Compares cycles and words of `cases` random layers; latencies' ratios closed form / loop, ascending.
std::vector<double> compare(int cases) {
  test::RandomCases random(20240917);
  std::vector<double> ratios;
  for (int i = 0; i < cases; ++i) {
    const npu::Npu npu = random.npu();
    const npu::Layer layer = random.layer();
    const int batch = static_cast<int>(random.pick(1, 8));
    const npu::BatchPolicy policy = random.policy(npu, batch);
    const npu::LayerCost cost = npu::layer_cost(layer, npu, batch, policy);
    const test::TileLoopResult loop = test::run_tile_loop(layer.gemm, npu, policy, cost.packed_groups);
    INFO("case " << i << ": <" << npu.t_r << ", " << npu.t_p << ", " << npu.t_c << "> batch " << batch << " <"
                 << policy.b_r << ", " << policy.b_p << ", " << policy.k << ">");
    REQUIRE(cost.compute_cycles == loop.compute_cycles);
    REQUIRE(cost.input_words == loop.input_words);
    REQUIRE(static_cast<double>(cost.weight_words) == Approx(loop.weight_words).epsilon(1e-12));
    REQUIRE(cost.output_words == loop.output_words);
    REQUIRE(cost.latency_cycles >= cost.roofline_cycles * (1 - 1e-12));
    ratios.push_back(cost.latency_cycles / loop.latency_cycles);
  }
  std::sort(ratios.begin(), ratios.end());
  return ratios;
}

double quantile(const std::vector<double>& sorted, double q) {
  return sorted[static_cast<std::size_t>(q * static_cast<double>(sorted.size() - 1))];
}

/// Cycles of a whole network, by the closed form and by the loop, each layer under the mode's choice.
std::pair<double, double> whole_network(const workloads::Network& network, const npu::Npu& npu,
                                        npu::Mode mode, int batch) {
  const npu::BatchPolicyTable table(network.layers, npu, mode, batch);
  double closed = 0;
  double looped = 0;
  for (int l = 0; l < table.layers(); ++l) {
    const npu::LayerCost& cost = table.cost(l, batch);
    closed += cost.latency_cycles;
    looped += test::run_tile_loop(table.layer(l).gemm, npu, table.policy(l, batch), cost.packed_groups)
                  .latency_cycles;
  }
  return {closed, looped};
}

}  // namespace

TEST_CASE("products of activations are groups of one sample's rows, for each sample", "[oracle]") {
  test::RandomCases random(7);
  for (int i = 0; i < 300; ++i) {
    npu::Npu npu = random.npu();
    npu::Layer layer = random.layer();
    layer.kind = npu::LayerKind::matmul;
    const int batch = static_cast<int>(random.pick(1, 8));
    const npu::BatchPolicy policy = random.policy(npu, batch);
    const npu::LayerCost cost = npu::layer_cost(layer, npu, batch, policy);
    npu::Gemm all = layer.gemm;
    all.groups *= batch;
    npu.weight_source = npu::WeightSource::off_chip;  // the right matrices are no weights
    const test::TileLoopResult loop =
        test::run_tile_loop(all, npu, {.b_r = 1, .b_p = 1, .k = policy.k}, cost.packed_groups);
    REQUIRE(cost.feasible);
    REQUIRE(cost.compute_cycles == loop.compute_cycles);
    REQUIRE(cost.input_words == loop.input_words);
    REQUIRE(static_cast<double>(cost.weight_words) == Approx(loop.weight_words).epsilon(1e-12));
    REQUIRE(cost.output_words == loop.output_words);
    REQUIRE(cost.latency_cycles >= cost.roofline_cycles * (1 - 1e-12));
    REQUIRE(npu::feasible_latency_cycles(layer, npu, batch, policy) == cost.latency_cycles);
  }
}

TEST_CASE("cycles and words equal those of the tile-by-tile loop", "[npu_model][oracle]") {
  const std::vector<double> ratios = compare(1'500);
  CHECK(quantile(ratios, 0.5) == Approx(1).epsilon(0.01));
}

TEST_CASE("the same on 12,000 random layers, engines and policies", "[.release][oracle]") {
  const std::vector<double> ratios = compare(12'000);
  CHECK(quantile(ratios, 0.5) == Approx(1).epsilon(0.01));
  CHECK(ratios.front() > 0.5);
  CHECK(ratios.back() < 2);  // one tile, memory bound: the closed form loads and stores it twice
}

TEST_CASE("whole networks on the shipped NPUs: within 3 % of the tile-by-tile loop", "[.release][oracle]") {
  for (const std::string& npu_name : io::shipped_names("npus")) {
    const npu::Npu npu = sim::load_npu(test::named(npu_name));
    for (const std::string& network_name : io::shipped_names("networks")) {
      const workloads::Network network = test::shipped_network(network_name);
      for (const npu::Mode mode : {npu::Mode::r, npu::Mode::fluid_stacked}) {
        for (const int batch : {1, 3, 8}) {
          const auto [closed, looped] = whole_network(network, npu, mode, batch);
          INFO(network_name << " on " << npu_name << ", " << npu::name_of(mode) << ", batch " << batch);
          CHECK(closed / looped == Approx(1).epsilon(0.03));
        }
      }
    }
  }
}

TEST_CASE("one network, one NPU: within 3 % of the tile-by-tile loop", "[npu_model][oracle]") {
  const auto [closed, looped] =
      whole_network(test::shipped_network("ee_resnet50"), sim::load_npu(test::named("zu7ev_large")),
                    npu::Mode::fluid_stacked, 3);
  CHECK(closed / looped == Approx(1).epsilon(0.03));
}

// Prints what docs/validation.md shows; tests/cli/test_docs.py compares.
TEST_CASE("table of the ratios for docs/validation.md", "[.print]") {
  const std::vector<double> ratios = compare(12'000);
  std::printf(
      "| least | 1 %% | 5 %% | 25 %% | median | 75 %% | 95 %% | 99 %% | largest "
      "|\n|---|---|---|---|---|---|---|---|---|\n|");
  for (const double q : {0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0})
    std::printf(" %.3f |", quantile(ratios, q));
  std::printf("\n\n| network | NPU | mode | batch 1 | batch 3 | batch 8 |\n|---|---|---|---|---|---|\n");
  for (const std::string& npu_name : io::shipped_names("npus")) {
    const npu::Npu npu = sim::load_npu(test::named(npu_name));
    for (const char* network_name :
         {"ee_inception_v3", "ee_mobilenet_v2", "ee_resnet18", "ee_resnet50", "ee_vgg16"}) {
      const workloads::Network network = test::shipped_network(network_name);
      for (const npu::Mode mode : {npu::Mode::r, npu::Mode::fluid_stacked}) {
        std::printf("| %s | %s | %s |", network_name, npu_name.c_str(),
                    std::string(npu::name_of(mode)).c_str());
        for (const int batch : {1, 3, 8}) {
          const auto [closed, looped] = whole_network(network, npu, mode, batch);
          std::printf(" %.4f |", closed / looped);
        }
        std::printf("\n");
      }
    }
  }
}
