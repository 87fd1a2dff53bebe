// The closed form against the tile-by-tile loop of tests/support, which shares no code with it.
#include <algorithm>
#include <cstdio>
#include <limits>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "npu_model/batch_policy_table.h"
#include "tests/support/random_npus.h"
#include "tests/support/tile_loop.h"
#include "workloads/io/shipped_files.h"
#include "workloads/models/npu_file.h"

using namespace fluidbatch;

namespace {

/// A layer under a policy: by the closed form, and what the loop is to be run with.
struct Case {
  Case(const npu::Layer& of, const npu::Npu& on, int batch, const npu::BatchPolicy& under)
      : Case(of, on, batch, under, npu::layer_cost(of, on, batch, under)) {}
  Case(const npu::Layer& of, const npu::Npu& on, int batch, const npu::BatchPolicy& under,
       npu::LayerCost with)
      : layer(of), npu(on), policy(under), cost(with) {
    // Of products of activations there are as many as samples: none for the places that a last block lacks.
    if (layer.kind == npu::LayerKind::matmul) policy.b_r = batch, policy.b_p = 1;
  }

  [[nodiscard]] test::TileLoopResult looped(test::TileLoopOptions options = {}) const {
    return test::run_tile_loop(layer, npu, policy, cost.packed_groups, options);
  }

  /// Times that the weights cross where the closed form has them cross once, and nothing keeps them: past a
  /// row block that stays all column tiles go, one after another through two places, and come again for the
  /// next row block. With RowWeights::once the closed form takes a column that is one tile along P to be
  /// there still, as it is where column tiles are around row tiles.
  [[nodiscard]] std::int64_t passes_left_out() const {
    const std::int64_t rows = (layer.kind == npu::LayerKind::matmul ? 1 : policy.b_r) * layer.gemm.r;
    const std::int64_t tile_r = npu.t_r / policy.k;
    const bool one_tile_deep = cost.packed_groups * layer.gemm.p <= npu.t_p * policy.k;
    const bool one_column = cost.packed_groups * layer.gemm.c <= npu.t_c / policy.k;
    const bool left_out = npu.row_weights == npu::RowWeights::once &&
                          policy.residency == npu::Residency::row && one_tile_deep && !one_column;
    return left_out ? (rows + tile_r - 1) / tile_r : 1;
  }

  const npu::Layer& layer;
  const npu::Npu& npu;
  npu::BatchPolicy policy;
  npu::LayerCost cost;
};

/// Requires equal cycles and words of `cases` random layers; the ratios of the latencies where all words
/// are, closed form / loop, ascending.
std::vector<double> compare(int cases) {
  test::RandomCases random(20240917);
  std::vector<double> ratios;
  for (int i = 0; i < cases; ++i) {
    const npu::Npu npu = random.npu();
    npu::Layer layer = random.layer();
    if (random.one_in(8)) layer.kind = npu::LayerKind::matmul;
    const int batch = static_cast<int>(random.pick(1, 8));
    const npu::BatchPolicy policy = random.policy(npu, batch);
    const Case it(layer, npu, batch, policy);
    const test::TileLoopResult loop = it.looped();
    INFO("case " << i << ": <" << npu.t_r << ", " << npu.t_p << ", " << npu.t_c << "> batch " << batch << " <"
                 << policy.b_r << ", " << policy.b_p << ", " << policy.k << ", "
                 << npu::name_of(policy.residency) << ">, " << npu::name_of(layer.kind) << " "
                 << layer.gemm.groups << " of " << layer.gemm.r << " x " << layer.gemm.p << " x "
                 << layer.gemm.c << ", packed " << it.cost.packed_groups);
    REQUIRE(it.cost.compute_cycles == loop.compute_cycles);
    REQUIRE(static_cast<double>(it.cost.input_words) == Approx(loop.input_words).epsilon(1e-9));
    REQUIRE(static_cast<double>(it.cost.weight_words * it.passes_left_out()) ==
            Approx(loop.weight_words).epsilon(1e-12));
    REQUIRE(it.cost.output_words == loop.output_words);
    REQUIRE(it.cost.latency_cycles >= it.cost.roofline_cycles * (1 - 1e-12));
    REQUIRE(loop.latency_cycles >= it.cost.roofline_cycles * (1 - 1e-9));
    REQUIRE(npu::feasible_latency_cycles(layer, npu, batch, policy) ==
            (it.cost.feasible ? it.cost.latency_cycles : std::numeric_limits<double>::infinity()));
    if (it.passes_left_out() == 1) ratios.push_back(it.cost.latency_cycles / loop.latency_cycles);
  }
  std::sort(ratios.begin(), ratios.end());
  return ratios;
}

double quantile(const std::vector<double>& sorted, double q) {
  return sorted[static_cast<std::size_t>(q * static_cast<double>(sorted.size() - 1))];
}

/// Which layers count: all, or those of which the closed form leaves out no words.
enum class Layers { all, with_all_words };

/// Closed form over loop of a whole network, each layer under the mode's choice.
double whole_network(const npu::BatchPolicyTable& table, int batch, Layers layers,
                     test::TileLoopOptions options = {}) {
  double closed = 0;
  double looped = 0;
  for (int l = 0; l < table.layers(); ++l) {
    REQUIRE_FALSE(npu::is_mover(table.layer(l).kind));
    const Case it(table.layer(l), *table.npu(), batch, table.control_block()->policy(l, batch),
                  table.control_block()->cost(l, batch));
    if (layers == Layers::with_all_words && it.passes_left_out() > 1) continue;
    closed += it.cost.latency_cycles;
    looped += it.looped(options).latency_cycles;
  }
  return closed / looped;
}

/// `npu` behind line buffers, keeping on the chip what pays as far as its board's memory goes, all words
/// counted.
npu::Npu with_memory(npu::Npu npu) {
  npu.row_weights = npu::RowWeights::each_block;
  npu.on_chip_bytes = workloads::load_board(test::named(npu.board)).on_chip_bytes;
  npu.residency = std::nullopt;
  npu.input_path = npu::InputPath::line_buffer;
  return npu;
}

enum class Memory { as_shipped, as_the_board_has };

/// Calls `visit` with each shipped NPU and each of `networks` in each of `modes`.
template <typename Visit>
void for_each_table(Memory memory, const std::vector<std::string>& networks,
                    const std::vector<npu::Mode>& modes, const Visit& visit) {
  for (const std::string& npu_name : io::shipped_names("npus")) {
    npu::Npu npu = workloads::load_npu(test::named(npu_name));
    if (memory == Memory::as_the_board_has) npu = with_memory(npu);
    for (const std::string& network : networks) {
      for (const npu::Mode mode : modes) {
        const npu::BatchPolicyTable table(test::shipped_network(network).layers, npu, mode, 8);
        visit(network + " | " + npu_name + " | " + std::string(npu::name_of(mode)), table);
      }
    }
  }
}

const std::vector<npu::Mode> kEndsOfModes{npu::Mode::r, npu::Mode::fluid_stacked};
const std::vector<std::string> kPrintedNetworks{"ee_inception_v3", "ee_mobilenet_v2", "ee_resnet18",
                                                "ee_resnet50", "ee_vgg16"};

/// The classes of edge NPUs have so much bandwidth that a layer at batch 1 is a few tiles: there the first
/// load and the last store, which the closed form adds, are in part overlapped.
void check_close(const std::string& name, const npu::BatchPolicyTable& table) {
  const double margin = table.npu()->name.starts_with("edge_") ? 0.055 : 0.03;
  for (int batch = 1; batch <= table.max_batch(); ++batch) {
    INFO(name << ", batch " << batch);
    CHECK(whole_network(table, batch, Layers::with_all_words) == Approx(1).margin(margin));
  }
}

/// Rows of ratios for batches 1, 3 and 8, under each of `options`.
void print_rows(const std::string& name, const npu::BatchPolicyTable& table,
                const std::vector<test::TileLoopOptions>& options) {
  std::printf("| %s |", name.c_str());
  for (const test::TileLoopOptions& option : options) {
    for (const int batch : {1, 3, 8})
      std::printf(" %.4f |", whole_network(table, batch, Layers::all, option));
  }
  std::printf("\n");
}

}  // namespace

TEST_CASE("cycles and words equal those of the tile-by-tile loop", "[npu_model][oracle]") {
  const std::vector<double> ratios = compare(1'500);
  CHECK(quantile(ratios, 0.5) == Approx(1).epsilon(0.01));
}

TEST_CASE("the same on 20,000 random layers, engines and policies", "[.release][oracle]") {
  const std::vector<double> ratios = compare(20'000);
  CHECK(quantile(ratios, 0.5) == Approx(1).epsilon(0.01));
  CHECK(ratios.front() > 0.5);
  // One tile, memory bound: the closed form loads and stores it twice, and with line buffers takes the first
  // tile to load all words of the matrix.
  CHECK(ratios.back() < 2.5);
}

TEST_CASE("whole networks on the shipped NPUs: within 3 % of the loop, 5.5 % on the classes",
          "[.release][oracle]") {
  for_each_table(Memory::as_shipped, io::shipped_names("networks"), kEndsOfModes, check_close);
}

TEST_CASE("whole networks with line buffers and residencies: within 3 % of the loop", "[.release][oracle]") {
  for_each_table(Memory::as_the_board_has, io::shipped_names("networks"), kEndsOfModes, check_close);
}

TEST_CASE("one network, one NPU: within 3 % of the tile-by-tile loop", "[npu_model][oracle]") {
  const auto layers = test::shipped_network("ee_resnet50").layers;
  const npu::Npu npu = workloads::load_npu(test::named("zu7ev_large"));
  check_close("as it is", {layers, npu, npu::Mode::fluid_stacked, 3});
  check_close("with memory", {layers, with_memory(npu), npu::Mode::fluid_stacked, 3});
}

// The RTL (docs/rtl.md) has found what this is about; the loop shares no code with either.
TEST_CASE("a first row block that is awaited is nearer to the loop, and changes nothing else",
          "[npu_model][oracle]") {
  test::RandomCases random(20261127);
  std::vector<double> overlapped;  // closed form over loop
  std::vector<double> awaited;
  int slower = 0;
  for (int i = 0; i < 3'000; ++i) {
    npu::Npu npu = random.npu();
    npu.row_weights = npu::RowWeights::each_block;
    npu.channel = npu::Channel::shared;
    npu.output_bandwidth_bytes_per_s = npu.input_bandwidth_bytes_per_s;
    const npu::Layer layer = random.layer();
    const int batch = static_cast<int>(random.pick(1, 8));
    const npu::BatchPolicy policy = random.policy(npu, batch);
    const Case without(layer, npu, batch, policy);
    npu.first_row_block = npu::FirstRowBlock::awaited;
    const npu::LayerCost with = npu::layer_cost(layer, npu, batch, policy);
    REQUIRE(with.latency_cycles >= without.cost.latency_cycles);
    const bool keeps_rows =
        policy.residency == npu::Residency::row || policy.residency == npu::Residency::weights;
    if (!keeps_rows) REQUIRE(with.latency_cycles == without.cost.latency_cycles);
    if (policy.residency != npu::Residency::row || layer.kind == npu::LayerKind::depthwise) continue;
    const double looped = without.looped().latency_cycles;
    overlapped.push_back(without.cost.latency_cycles / looped);
    awaited.push_back(with.latency_cycles / looped);
    if (with.latency_cycles > without.cost.latency_cycles) ++slower;
  }
  std::sort(overlapped.begin(), overlapped.end());
  std::sort(awaited.begin(), awaited.end());
  REQUIRE(awaited.size() > 300);
  CHECK(slower > 10);
  for (const double q : {0.01, 0.05}) CHECK(quantile(awaited, q) > quantile(overlapped, q));
  CHECK(quantile(awaited, 0.05) > 0.99);
  CHECK(quantile(awaited, 0.5) == Approx(1).epsilon(0.01));
}

// Prints what docs/validation.md shows; tests/cli/test_docs.py compares.
TEST_CASE("table of the ratios for docs/validation.md", "[.print]") {
  const std::vector<double> ratios = compare(20'000);
  std::printf(
      "| least | 1 %% | 5 %% | 25 %% | median | 75 %% | 95 %% | 99 %% | largest "
      "|\n|---|---|---|---|---|---|---|---|---|\n|");
  for (const double q : {0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0})
    std::printf(" %.3f |", quantile(ratios, q));
  const auto print = [](const std::string& name, const npu::BatchPolicyTable& table) {
    print_rows(name, table, {{}});
  };
  std::printf("\n\n| network | NPU | mode | batch 1 | batch 3 | batch 8 |\n|---|---|---|---|---|---|\n");
  for_each_table(Memory::as_shipped, kPrintedNetworks, kEndsOfModes, print);
  std::printf(
      "\n| network | NPU, with line buffers, residency auto and row_weights each_block | mode | batch 1 | "
      "batch 3 | batch 8 "
      "|\n|---|---|---|---|---|---|\n");
  for_each_table(Memory::as_the_board_has, kPrintedNetworks, kEndsOfModes, print);
  std::printf(
      "\n| network | NPU | mode | one output tile: 1 | 3 | 8 | first in, first out: 1 | 3 | 8 "
      "| equal shares: 1 | 3 | 8 |\n|---|---|---|---|---|---|---|---|---|---|---|---|\n");
  for_each_table(
      Memory::as_shipped, kPrintedNetworks, {npu::Mode::fluid_stacked},
      [](const std::string& name, const npu::BatchPolicyTable& table) {
        print_rows(
            name, table,
            {{.output_tiles = 1}, {.arbiter = test::Arbiter::fifo}, {.arbiter = test::Arbiter::equal_share}});
      });
}
