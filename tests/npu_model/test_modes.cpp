// The modes: which policies they allow, which one is chosen, and what must hold between them.
#include <algorithm>
#include <limits>
#include <map>

#include <catch2/catch.hpp>

#include "npu_model/batch_policy_table.h"
#include "tests/support/random_npus.h"
#include "workloads/models/npu_file.h"

using namespace fluidbatch;
using npu::BatchPolicy;
using npu::Mode;
using test::gemm_layer;

namespace {

double latency(Mode mode, const npu::Layer& layer, const npu::Npu& npu, int batch) {
  return npu::choose(mode, npu::candidates(mode, npu, batch), layer, npu, batch).latency_cycles;
}

}  // namespace

TEST_CASE("candidates of each mode", "[modes]") {
  npu::Npu npu = test::small_npu();  // k_max 4
  using List = std::vector<BatchPolicy>;
  CHECK(npu::candidates(Mode::r, npu, 5) == List{{5, 1, 1}});
  CHECK(npu::candidates(Mode::r_stacked, npu, 5) == List{{5, 1, 1}, {5, 1, 2}, {5, 1, 4}});
  // Four blocks of two would hold 5 samples in three.
  CHECK(npu::candidates(Mode::fluid, npu, 5) == List{{5, 1, 1}, {3, 2, 1}, {2, 3, 1}, {1, 5, 1}});
  CHECK(npu::candidates(Mode::p, npu, 5) == npu::candidates(Mode::fluid, npu, 5));
  CHECK(npu::candidates(Mode::fluid_stacked, npu, 5).size() == 12);
  npu.k_max = 1;
  CHECK(npu::candidates(Mode::fluid_stacked, npu, 5) == npu::candidates(Mode::fluid, npu, 5));
}

TEST_CASE("room for partial output tiles", "[modes]") {
  // <64, 16, 32>: 2,048 accumulators. Two blocks of 64 x 32 do not fit; two of 32 x 32 or 64 x 16 do.
  const auto feasible = [](std::int64_t r, std::int64_t c, const BatchPolicy& policy, int output_tiles = 1) {
    npu::Npu npu = test::small_npu();
    npu.output_tiles = output_tiles;
    return npu::layer_cost(gemm_layer("l", {.groups = 1, .r = r, .p = 40, .c = c}), npu,
                           policy.b_r * policy.b_p, policy)
        .feasible;
  };
  CHECK_FALSE(feasible(64, 32, {1, 2, 1}));
  CHECK(feasible(64, 32, {1, 2, 1}, 2));
  CHECK(feasible(32, 32, {1, 2, 1}));
  CHECK(feasible(64, 16, {1, 2, 1}));
  CHECK(feasible(640, 320, {1, 4, 2}));  // stacking by k makes room for B_P <= k^2
  CHECK_FALSE(feasible(640, 320, {1, 5, 2}));
  CHECK(feasible(640, 320, {5, 1, 1}));
}

TEST_CASE("room for what stays on the chip", "[modes]") {
  // R 640, P 33, C 320 on <64, 16, 32>: tiles take 2 (64 x 16 + 16 x 32) words of 2 bytes and 2 x 64 x 32
  // accumulators of 4 bytes.
  constexpr std::int64_t kTiles = 2 * (64 * 16 + 16 * 32) * 2 + 2 * 64 * 32 * 4;
  npu::Npu npu = test::small_npu();
  REQUIRE(npu.tile_buffer_bytes() == kTiles);
  const npu::Layer layer = gemm_layer("l", {.groups = 1, .r = 640, .p = 33, .c = 320});
  const auto least_bytes = [&](const BatchPolicy& policy) {
    const std::int64_t needed = npu::layer_cost(layer, npu, policy.b_r * policy.b_p, policy).on_chip_bytes;
    npu.on_chip_bytes = needed;
    CHECK(npu::layer_cost(layer, npu, policy.b_r * policy.b_p, policy).feasible);
    npu.on_chip_bytes = needed - 1;
    const bool tiles_alone = policy.residency == npu::Residency::stream;  // which `validate` looks at
    CHECK(npu::layer_cost(layer, npu, policy.b_r * policy.b_p, policy).feasible == tiles_alone);
    npu.on_chip_bytes = 0;
    return needed - kTiles;
  };
  using npu::Residency;
  CHECK(least_bytes({2, 1, 1, Residency::stream}) == 0);
  CHECK(least_bytes({2, 1, 1, Residency::row}) == 2 * 64 * 33 * 2);
  CHECK(least_bytes({2, 1, 1, Residency::column}) == 2 * 33 * 32 * 2);
  CHECK(least_bytes({2, 1, 1, Residency::weights}) == (33 * 320 + 2 * 64 * 33) * 2);
  CHECK(least_bytes({2, 1, 2, Residency::row}) == 2 * 32 * 33 * 2);
  npu.output_tiles = 2;
  CHECK(least_bytes({1, 2, 1, Residency::row}) == 64 * 32 * 4 + 2 * 2 * 64 * 33 * 2);
  // Blocks do not go with weights that stay.
  CHECK_FALSE(npu::covers({1, 2, 1, Residency::column}, 2));
  CHECK_FALSE(npu::covers({1, 2, 1, Residency::weights}, 2));
}

TEST_CASE("the choice: least latency, then smaller k, then smaller B_P", "[modes]") {
  npu::Npu npu = test::small_npu();
  npu.input_bandwidth_bytes_per_s = npu.output_bandwidth_bytes_per_s =
      std::numeric_limits<double>::infinity();
  // Whole tiles and unlimited bandwidth: all policies with B_R a whole number of tiles take the same cycles.
  const npu::Layer even = gemm_layer("even", {.groups = 1, .r = 64, .p = 64, .c = 32});
  npu.output_tiles = 16;
  CHECK(npu::choose(Mode::fluid_stacked, npu::candidates(Mode::fluid_stacked, npu, 4), even, npu, 4).policy ==
        BatchPolicy{4, 1, 1});
  CHECK(npu::choose(Mode::p, npu::candidates(Mode::p, npu, 4), even, npu, 4).policy == BatchPolicy{1, 4, 1});
  npu.output_tiles = 2;
  CHECK(npu::choose(Mode::p, npu::candidates(Mode::p, npu, 4), even, npu, 4).policy == BatchPolicy{2, 2, 1});
  // A quarter of a row tile: k = 4 runs it in a quarter of the time.
  const npu::Layer low = gemm_layer("low", {.groups = 1, .r = 16, .p = 64, .c = 32});
  CHECK(npu::choose(Mode::r_stacked, npu::candidates(Mode::r_stacked, npu, 1), low, npu, 1).policy ==
        BatchPolicy{1, 1, 4});
}

TEST_CASE("where fluid batching mixes: the worked layer of two bandwidths", "[modes]") {
  // R = 49, P = 2048, C = 512 on <128, 16, 104>, four samples; cycles per sample of our derivation.
  const npu::Layer layer = gemm_layer("l", {.groups = 1, .r = 49, .p = 2048, .c = 512});
  const auto per_sample = [&](double words_per_cycle, const BatchPolicy& policy) {
    npu::Npu npu = test::small_npu();
    npu.t_r = 128;
    npu.t_p = 16;
    npu.t_c = 104;
    npu.k_max = 2;
    npu.output_tiles = 4;
    npu.clock_hz = 1;
    npu.word_bytes = 1;
    npu.input_bandwidth_bytes_per_s = npu.output_bandwidth_bytes_per_s = words_per_cycle;
    npu.channel = npu::Channel::separate;
    const int batch = policy.b_r * policy.b_p;
    return npu::layer_cost(layer, npu, batch, policy).latency_cycles / batch;
  };
  CHECK(per_sample(33.5, {1, 1, 1}) == Approx(82'133).epsilon(0.005));
  CHECK(per_sample(33.5, {1, 1, 2}) == Approx(61'417).epsilon(0.005));
  CHECK(per_sample(33.5, {4, 1, 1}) == Approx(41'036).epsilon(0.005));
  CHECK(per_sample(33.5, {1, 4, 2}) == Approx(41'000).epsilon(0.005));
  CHECK(per_sample(11.2, {4, 1, 1}) == Approx(91'840).epsilon(0.005));
  CHECK(per_sample(11.2, {2, 2, 1}) == Approx(68'488).epsilon(0.005));  // the mix wins
}

TEST_CASE("a larger choice is never worse; nothing beats the roofline", "[modes]") {
  test::RandomCases random(7);
  for (int i = 0; i < 3'000; ++i) {
    const npu::Npu npu = random.npu();
    const npu::Layer layer = random.layer();
    const int batch = static_cast<int>(random.pick(1, 12));
    std::map<Mode, double> cycles;
    for (const Mode mode : npu::all_modes()) {
      const auto candidates = npu::candidates(mode, npu, batch);
      const npu::Choice choice = npu::choose(mode, candidates, layer, npu, batch);
      const npu::LayerCost cost = npu::layer_cost(layer, npu, batch, choice.policy);
      INFO("case " << i << ", mode " << npu::name_of(mode));
      REQUIRE(cost.feasible);
      REQUIRE(choice.latency_cycles == cost.latency_cycles);  // the search's form is the table's
      REQUIRE(choice.latency_cycles >= cost.roofline_cycles * (1 - 1e-12));
      cycles[mode] = choice.latency_cycles;
    }
    const double tie = 1 + 1e-11;  // sums of the same words in another order
    REQUIRE(cycles[Mode::fluid] <= std::min(cycles[Mode::r], cycles[Mode::p]) * tie);
    REQUIRE(cycles[Mode::r_stacked] <= cycles[Mode::r] * tie);
    for (const Mode mode : npu::all_modes()) REQUIRE(cycles[Mode::fluid_stacked] <= cycles[mode] * tie);
  }
}

TEST_CASE("stacking wins nothing where tiles divide evenly", "[modes]") {
  test::RandomCases random(11);
  for (int i = 0; i < 2'000; ++i) {
    npu::Npu npu = random.npu();
    npu.fill_cycles = 0;
    npu::Layer layer = gemm_layer("l", {.groups = 1,
                                        .r = npu.t_r * random.pick(1, 4),
                                        .p = random.pick(1, 500),
                                        .c = npu.t_c * random.pick(1, 4)});
    const int batch = static_cast<int>(random.pick(1, 6));
    const std::int64_t flat = npu::layer_cost(layer, npu, batch, npu::blocks_of(batch, 1, 1)).compute_cycles;
    for (const BatchPolicy& policy : npu::candidates(Mode::fluid_stacked, npu, batch)) {
      REQUIRE(npu::layer_cost(layer, npu, batch, policy).compute_cycles >= flat);
    }
    npu.input_bandwidth_bytes_per_s = npu.output_bandwidth_bytes_per_s =
        std::numeric_limits<double>::infinity();
    const auto chosen =
        npu::choose(Mode::fluid_stacked, npu::candidates(Mode::fluid_stacked, npu, batch), layer, npu, batch);
    REQUIRE(chosen.policy.k == 1);
  }
}

TEST_CASE("without weight reuse P-batching is running one after another", "[modes]") {
  test::RandomCases random(13);
  int tried = 0;
  while (tried < 1'000) {
    npu::Npu npu = random.npu();
    npu.weight_reuse = npu::WeightReuse::none;
    npu.residency = npu::Residency::stream;
    npu.input_path = npu::InputPath::im2col;
    npu.fill_cycles = 0;
    npu.layer_overhead_cycles = 0;
    const npu::Layer layer = random.layer();
    if (layer.kind == npu::LayerKind::depthwise || layer.gemm.p <= npu.t_p) continue;  // n_P > 1
    ++tried;
    const int batch = static_cast<int>(random.pick(2, 8));
    // All but the first sample find the pipeline filled: their first tile load is overlapped.
    const std::int64_t rows = std::min(npu.t_r, layer.gemm.r);
    const std::int64_t weights =
        npu.weight_source == npu::WeightSource::on_chip ? 0 : npu.t_p * std::min(npu.t_c, layer.gemm.c);
    const double first_load = static_cast<double>(rows * npu.t_p + weights) * npu.cycles_per_input_word();
    const double one = latency(Mode::r, layer, npu, 1);
    const double all = latency(Mode::p, layer, npu, batch);
    REQUIRE(all == Approx(batch * one - (batch - 1) * first_load).epsilon(1e-9));
  }
}

namespace {

/// Cycles of the last tile's store, which nothing overlaps: what a larger batch may save by a smaller last
/// tile.
double last_store(const npu::Layer& layer, const npu::Npu& npu, const BatchPolicy& policy,
                  std::int64_t packed) {
  const auto last = [](std::int64_t extent, std::int64_t tile) { return (extent - 1) % tile + 1; };
  const std::int64_t rows = last(policy.b_r * layer.gemm.r, npu.t_r / policy.k);
  const std::int64_t channels = last(packed * layer.gemm.c, npu.t_c / policy.k);
  return static_cast<double>(rows * channels * policy.b_p) * npu.cycles_per_output_word();
}

}  // namespace

TEST_CASE("a larger batch never takes less time, up to the store of one last tile", "[modes]") {
  test::RandomCases random(18);
  int shorter = 0;
  for (int i = 0; i < 2'000; ++i) {
    const npu::Npu npu = random.npu();
    const npu::Layer layer = random.layer();
    for (const Mode mode : {Mode::r, Mode::r_stacked, Mode::fluid_stacked}) {
      double before = 0;
      double allowance = 0;
      for (int batch = 1; batch <= 10; ++batch) {
        const npu::Choice choice = npu::choose(mode, npu::candidates(mode, npu, batch), layer, npu, batch);
        INFO("case " << i << ", mode " << npu::name_of(mode) << ", batch " << batch << ": <" << npu.t_r
                     << ", " << npu.t_p << ", " << npu.t_c << "> k_max " << npu.k_max << ", groups "
                     << layer.gemm.groups << " R " << layer.gemm.r << " P " << layer.gemm.p << " C "
                     << layer.gemm.c);
        REQUIRE(choice.latency_cycles >= before - allowance - 1e-9 * before);
        if (choice.latency_cycles < before * (1 - 1e-12)) ++shorter;
        before = choice.latency_cycles;
        allowance = last_store(layer, npu, choice.policy,
                               npu::layer_cost(layer, npu, batch, choice.policy).packed_groups);
      }
    }
  }
  CHECK(shorter > 0);  // it does happen: the allowance is no slack for the test's sake
}

TEST_CASE("stacking helps small batches on tall tiles", "[modes]") {
  // What the presets are for: the taller the tiles, the more of them one sample leaves empty.
  const auto gain = [](const char* npu_name, int batch) {
    const npu::Npu npu = workloads::load_npu(test::named(npu_name));
    const auto layers = test::shipped_network("ee_resnet50").layers;
    const npu::BatchPolicyTable flat(layers, npu, Mode::fluid, batch);
    const npu::BatchPolicyTable stacked(layers, npu, Mode::fluid_stacked, batch);
    return flat.latency_s(0, flat.layers(), batch) / stacked.latency_s(0, flat.layers(), batch);
  };
  CHECK(gain("zu7ev_large", 1) > 1.4);
  CHECK(gain("zu7ev_middle", 1) > 1.3);
  CHECK(gain("zu7ev_small", 1) < 1.05);
  CHECK(gain("zu7ev_large", 8) < 1.1);
}
