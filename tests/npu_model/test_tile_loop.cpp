// The tile-by-tile loop itself, on layers of a few steps worked by hand.
#include <limits>

#include <catch2/catch.hpp>

#include "tests/support/examples.h"
#include "tests/support/tile_loop.h"

using namespace fluidbatch;
using npu::Residency;
using test::Arbiter;

namespace {

/// <4, 2, 2>, one word a cycle over one channel. Tiles: 8 words of input, 4 of weights, 8 of output; a step
/// takes 4 cycles.
npu::Npu tiny_npu() {
  npu::Npu npu;
  npu.t_r = 4;
  npu.t_p = 2;
  npu.t_c = 2;
  npu.word_bytes = 1;
  npu.clock_hz = npu.input_bandwidth_bytes_per_s = npu.output_bandwidth_bytes_per_s = 1;
  return npu;
}

test::TileLoopResult run(const npu::Gemm& gemm, const npu::Npu& npu, test::TileLoopOptions options = {},
                         Residency residency = Residency::stream) {
  return test::run_tile_loop(test::gemm_layer("l", gemm), npu, {.residency = residency}, 1, options);
}

}  // namespace

TEST_CASE("loop by hand: two tiles along P", "[npu_model][oracle]") {
  npu::Npu npu = tiny_npu();
  npu.fill_cycles = 1;
  const npu::Gemm gemm{.groups = 1, .r = 4, .p = 4, .c = 2};
  // w0 -4, i0 -12: step 0 12-16. w1 -16, i1 -24: step 1 24-28, fill -29, store -37.
  const test::TileLoopResult ideal = run(gemm, npu);
  CHECK(ideal.compute_cycles == 9);
  CHECK(ideal.input_words == 16);
  CHECK(ideal.weight_words == 8);
  CHECK(ideal.output_words == 8);
  CHECK(ideal.latency_cycles == 37);
  CHECK(run(gemm, npu, {.arbiter = Arbiter::fifo}).latency_cycles == 37);
  // All four loads at once: both of weights end at 16, both of inputs at 24. Steps 24-28 and 28-33.
  CHECK(run(gemm, npu, {.arbiter = Arbiter::equal_share}).latency_cycles == 41);
  npu.layer_overhead_cycles = 100;
  CHECK(run(gemm, npu).latency_cycles == 137);
}

TEST_CASE("loop by hand: room for output tiles", "[npu_model][oracle]") {
  npu::Npu npu = tiny_npu();
  const npu::Gemm gemm{.groups = 1, .r = 8, .p = 2, .c = 2};
  // w0 -4, i0 -12: step 0 12-16. i1 -20: step 1 20-24. Store 0 20-28, store 1 -36.
  CHECK(run(gemm, npu).latency_cycles == 36);
  // One tile: step 1 waits for store 0 too: 28-32, store 1 -40.
  CHECK(run(gemm, npu, {.output_tiles = 1}).latency_cycles == 40);
  // A channel of its own for stores: store 0 16-24, step 1 20-24, store 1 24-32.
  npu.channel = npu::Channel::separate;
  CHECK(run(gemm, npu).latency_cycles == 32);
}

TEST_CASE("loop by hand: what goes first", "[npu_model][oracle]") {
  npu::Npu npu = tiny_npu();
  npu.fill_cycles = 10;
  const npu::Gemm gemm{.groups = 1, .r = 12, .p = 2, .c = 2};
  // w0 -4, i0 -12, i1 -20: steps 0 12-26 and 1 26-40. At 26 store 0 and i2 are asked for, in this order; with
  // room for three output tiles nobody waits for store 0. i2 26-34, store 0 34-42: step 2 40-54, store 2 -62.
  CHECK(run(gemm, npu, {.output_tiles = 3}).latency_cycles == 62);
  // In the order asked for: store 0 26-34, i2 34-42: step 2 42-56, store 2 -64.
  CHECK(run(gemm, npu, {.output_tiles = 3, .arbiter = Arbiter::fifo}).latency_cycles == 64);
  // Equal shares: w0 -12, i0 and i1 -20: step 0 20-34. Store 0 and i2 share until step 1 has ended at 48 and
  // store 1 is there too; the last word of both takes until 51: step 2 51-65, store 2 -73.
  CHECK(run(gemm, npu, {.output_tiles = 3, .arbiter = Arbiter::equal_share}).latency_cycles == 73);
}

TEST_CASE("loop by hand: what stays on the chip", "[npu_model][oracle]") {
  npu::Npu npu = tiny_npu();
  const npu::Gemm gemm{.groups = 1, .r = 8, .p = 2, .c = 4};
  const auto check = [&](Residency residency, double input, double weights, double latency) {
    const test::TileLoopResult loop = run(gemm, npu, {}, residency);
    CHECK(loop.compute_cycles == 16);
    CHECK(loop.input_words == input);
    CHECK(loop.weight_words == weights);
    CHECK(loop.output_words == 32);
    CHECK(loop.latency_cycles == latency);
  };
  // The channel is busy to the end in all of them. Columns outside: w0 -4, i0 -12, i1 -20, w1 -24, store 0
  // -32, i2 -40, store 1 -48, i3 -56, store 2 -64, store 3 -72; steps 12-16, 20-24, 40-44, 56-60.
  check(Residency::stream, 32, 8, 72);
  check(Residency::column, 32, 8, 72);
  // Row blocks outside: w0 -4, i0 -12, w1 -16, i1 -24, store 0 -32, w0 again -36, store 1 -44, w1 again -48,
  // stores 2 and 3 -64; steps 12-16, 16-20, 36-40, 48-52.
  check(Residency::row, 16, 16, 64);
  // Weights stay: the same without the two that come again; steps 12-16, 16-20, 32-36, 40-44.
  check(Residency::weights, 16, 8, 56);
  // Only loads take time: w0 -4, i0 -12, w1 -16, i1 -24, which has a place from the start; steps 12-16,
  // 16-20, 24-28, 28-32.
  npu.channel = npu::Channel::separate;
  npu.output_bandwidth_bytes_per_s = std::numeric_limits<double>::infinity();
  check(Residency::weights, 16, 8, 32);
}

TEST_CASE("loop by hand: line buffers, packed groups, products of activations", "[npu_model][oracle]") {
  npu::Npu npu = tiny_npu();
  npu::Layer repeats = test::gemm_layer("l", {.groups = 1, .r = 8, .p = 2, .c = 4});
  repeats.distinct_input_words = 8;
  npu.input_path = npu::InputPath::line_buffer;
  // Half of the words of each input tile: w0 -4, i0 -8, w1 -12, i1 -16, stores 0 and 1 -32, 2 and 3 -48;
  // steps 8-12, 12-16, 24-28, 32-36.
  const auto lines = test::run_tile_loop(repeats, npu, {.residency = Residency::weights});
  CHECK(lines.input_words == 8);
  CHECK(lines.latency_cycles == 48);

  npu::Layer depthwise = test::gemm_layer("d", {.groups = 2, .r = 4, .p = 1, .c = 1});
  depthwise.kind = npu::LayerKind::depthwise;
  // One step for both groups; two of the four weights are not zero: w -2, i -10, step -14, store -22.
  const auto packed = test::run_tile_loop(depthwise, npu, {}, 2);
  CHECK(packed.weight_words == 2);
  CHECK(packed.latency_cycles == 22);

  npu::Layer product = test::gemm_layer("m", {.groups = 1, .r = 4, .p = 2, .c = 2});
  product.kind = npu::LayerKind::matmul;
  npu.weight_source = npu::WeightSource::on_chip;
  // Two samples, each with a right matrix: w0 -4, i0 -12, w1 -16, i1 -24, store 0 -32, store 1 -40; steps
  // 12-16, 24-28.
  const auto products = test::run_tile_loop(product, npu, {.b_r = 2});
  CHECK(products.weight_words == 8);
  CHECK(products.latency_cycles == 40);
}
