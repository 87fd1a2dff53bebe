// The closed form against layers worked by hand, its limits, and the tile-by-tile loop.
#include <cmath>
#include <limits>

#include <catch2/catch.hpp>

#include "npu_model/cost.h"
#include "tests/support/examples.h"

using namespace fluidbatch;
using test::gemm_layer;
using test::small_npu;

namespace {

const npu::BatchPolicy kOneSample{.b_r = 1, .b_p = 1, .k = 1};

}  // namespace

TEST_CASE("a convolution becomes a GEMM", "[npu_model]") {
  const npu::Gemm gemm = npu::gemm_of({.input_channels = 64,
                                       .output_channels = 128,
                                       .kernel_height = 3,
                                       .kernel_width = 5,
                                       .output_height = 28,
                                       .output_width = 14,
                                       .groups = 2});
  CHECK(gemm == npu::Gemm{.groups = 2, .r = 28 * 14, .p = 3 * 5 * 32, .c = 64});
  CHECK_THROWS_WITH(npu::gemm_of({.input_channels = 6, .output_channels = 8, .groups = 4}),
                    Catch::Contains("groups (4) must divide"));
}

TEST_CASE("a layer of whole tiles, by hand", "[npu_model]") {
  // 128 x 32 times 32 x 64 on <64, 16, 32> with 4 words a cycle: 2 x 2 output tiles, 2 tiles along P.
  const npu::Layer layer = gemm_layer("l", {.groups = 1, .r = 128, .p = 32, .c = 64});
  const npu::LayerCost cost = npu::layer_cost(layer, small_npu(), 1, kOneSample);

  CHECK(cost.compute_cycles == 2 * 64 * 2 * 2);  // row tiles, rows, n_P, n_C
  CHECK(cost.input_words == 128 * 32 * 2);       // read again for each column tile
  CHECK(cost.weight_words == 32 * 64 * 2);       // read again for each row tile
  CHECK(cost.output_words == 128 * 64);
  // One output tile: 128 cycles of compute, (64 x 32 + 32 x 32 + 64 x 32) / 4 = 1280 cycles of transfer.
  const double first_load = (64 * 16 + 16 * 32) / 4.0;
  const double last_store = 64 * 32 / 4.0;
  CHECK(cost.latency_cycles == 4 * 1280 + first_load + last_store);
  CHECK(cost.latency_s == cost.latency_cycles / 100e6);
  CHECK(cost.roofline_cycles == (8192 + 4096 + 8192) / 4.0);
  CHECK(cost.useful_macs == 128 * 32 * 64);
  CHECK(cost.mac_utilisation == 128.0 * 32 * 64 / (cost.latency_cycles * 16 * 32));
}

TEST_CASE("a layer with edges in every dimension, by hand", "[npu_model]") {
  // 100 x 20 times 20 x 40: row tiles 64 and 36, column tiles 32 and 8, P tiles 16 and 4.
  const npu::Layer layer = gemm_layer("l", {.groups = 1, .r = 100, .p = 20, .c = 40});
  npu::Npu npu = small_npu();
  npu.fill_cycles = 10;
  npu.input_bandwidth_bytes_per_s = npu.output_bandwidth_bytes_per_s =
      std::numeric_limits<double>::infinity();

  SECTION("padded rows") {
    const npu::LayerCost cost = npu::layer_cost(layer, npu, 1, kOneSample);
    CHECK(cost.compute_cycles == 4 * (64 * 2 + 10));
    CHECK(cost.latency_cycles == 4 * (64 * 2 + 10));
  }
  SECTION("trimmed rows") {
    npu.edge_rows = npu::EdgeRows::trim;
    const npu::LayerCost cost = npu::layer_cost(layer, npu, 1, kOneSample);
    CHECK(cost.compute_cycles == 2 * (100 * 2) + 4 * 10);
    CHECK(cost.latency_cycles == static_cast<double>(cost.compute_cycles));
  }
  SECTION("two samples fill the rows' edge") {
    const npu::LayerCost cost = npu::layer_cost(layer, npu, 2, npu::blocks_of(2, 1, 1));
    CHECK(cost.compute_cycles == 2 * 4 * (64 * 2 + 10));  // 200 rows: four tiles
    CHECK(cost.input_words == 200 * 20 * 2);
    CHECK(cost.weight_words == 20 * 40 * 4);
  }
}

TEST_CASE("weights stay where P fits one tile", "[npu_model]") {
  const npu::Layer layer = gemm_layer("l", {.groups = 1, .r = 640, .p = 16, .c = 32});
  const npu::LayerCost cost = npu::layer_cost(layer, small_npu(), 1, kOneSample);
  CHECK(cost.weight_words == 16 * 32);  // once, not once per row tile
}

TEST_CASE("weights on the chip have no words, in the first load neither", "[npu_model]") {
  const npu::Layer layer = gemm_layer("l", {.groups = 1, .r = 64, .p = 32, .c = 32});
  npu::Npu npu = small_npu();
  npu.weight_source = npu::WeightSource::on_chip;
  const npu::LayerCost cost = npu::layer_cost(layer, npu, 1, kOneSample);
  CHECK(cost.weight_words == 0);
  CHECK(cost.latency_cycles == (64 * 32 + 64 * 32) / 4.0 + 64 * 16 / 4.0 + 64 * 32 / 4.0);
}

TEST_CASE("a mover costs its words over the channel", "[npu_model]") {
  npu::Layer pool;
  pool.kind = npu::LayerKind::pool;
  pool.mover_input_words = 1000;
  pool.mover_output_words = 400;
  npu::Npu npu = small_npu();
  CHECK(npu::layer_cost(pool, npu, 3, npu::blocks_of(3, 1, 1)).latency_cycles == 3 * 1400 / 4.0);
  CHECK(npu::layer_cost(pool, npu, 1, kOneSample).compute_cycles == 0);
  CHECK(npu::layer_cost(pool, npu, 1, kOneSample).mac_utilisation == 0);
  npu.channel = npu::Channel::separate;
  CHECK(npu::layer_cost(pool, npu, 3, npu::blocks_of(3, 1, 1)).latency_cycles == 3 * 1000 / 4.0);
}

TEST_CASE("depthwise layers are packed block-diagonally", "[npu_model]") {
  // The worked example of a 3 x 3 depthwise layer with 960 channels on 7 x 7, on <128, 16, 104>.
  npu::Layer layer = gemm_layer("dw", {.groups = 960, .r = 49, .p = 9, .c = 1});
  npu::Npu npu = small_npu();
  npu.t_r = 128;
  npu.t_p = 16;
  npu.t_c = 104;
  npu.input_bandwidth_bytes_per_s = npu.output_bandwidth_bytes_per_s =
      std::numeric_limits<double>::infinity();
  CHECK(npu::layer_cost(layer, npu, 1, kOneSample).compute_cycles == 122'880);  // one group at a time
  layer.kind = npu::LayerKind::depthwise;
  const npu::LayerCost packed = npu::layer_cost(layer, npu, 1, kOneSample);
  CHECK(packed.compute_cycles == 69'120);  // 16 groups at a time: 60 products of 144 x 16
  CHECK(packed.useful_macs == 960 * 49 * 9);
  CHECK(packed.weight_words == 960 * 9);
}

TEST_CASE("a batch policy must cover its batch", "[npu_model]") {
  CHECK(npu::blocks_of(7, 2, 1) == npu::BatchPolicy{.b_r = 4, .b_p = 2, .k = 1});
  CHECK(npu::covers({.b_r = 4, .b_p = 2, .k = 1}, 7));
  CHECK_FALSE(npu::covers({.b_r = 4, .b_p = 2, .k = 1}, 4));  // the second block would be empty
  CHECK_FALSE(npu::covers({.b_r = 2, .b_p = 4, .k = 1}, 5));  // 3 blocks of 2 hold 5 already
  const npu::Layer layer = gemm_layer("l", {.groups = 1, .r = 64, .p = 16, .c = 32});
  CHECK_THROWS_AS(npu::layer_cost(layer, small_npu(), 4, kOneSample), std::invalid_argument);
}

TEST_CASE("an NPU that can't be built is refused, by field", "[npu_model]") {
  const auto refuses = [](auto change, const char* message) {
    npu::Npu npu = small_npu();
    change(npu);
    CHECK_THROWS_WITH(npu::validate(npu), Catch::Contains(message));
  };
  refuses([](npu::Npu& n) { n.t_r = 0; }, "t_r");
  refuses([](npu::Npu& n) { n.t_p = -1; }, "t_p");
  refuses([](npu::Npu& n) { n.t_c = 0; }, "t_c");
  refuses([](npu::Npu& n) { n.k_max = 3; }, "power of two");
  refuses([](npu::Npu& n) { n.t_r = 66; }, "k_max (4) must divide t_r (66)");
  refuses([](npu::Npu& n) { n.t_c = 30; }, "k_max (4) must divide t_c (30)");
  refuses([](npu::Npu& n) { n.clock_hz = 0; }, "clock_hz");
  refuses([](npu::Npu& n) { n.clock_hz = std::nan(""); }, "clock_hz");
  refuses([](npu::Npu& n) { n.input_bandwidth_bytes_per_s = 0; }, "input bandwidth");
  refuses([](npu::Npu& n) { n.weight_buffer_words = 100; }, "weight_buffer_words");
  refuses([](npu::Npu& n) { n.fill_cycles = -1; }, "fill_cycles");
}

TEST_CASE("an NPU must fit its board", "[npu_model]") {
  // <64, 16, 32>, 2-byte words: 512 DSPs; 2 (1024 + 512) words and 2 x 2048 accumulators of 4 bytes.
  const npu::Npu npu = small_npu();
  npu::Board board{.name = "b",
                   .description = "",
                   .source = "",
                   .dsps = 512,
                   .on_chip_bytes = 22528,
                   .bandwidth_bytes_per_s = 0.8e9};
  CHECK_NOTHROW(npu::require_fits(npu, board));
  board.dsps = 511;
  CHECK_THROWS_WITH(npu::require_fits(npu, board), Catch::Contains("512 DSPs; board 'b' has 511"));
  board.dsps = 512;
  board.on_chip_bytes = 22527;
  CHECK_THROWS_WITH(npu::require_fits(npu, board), Catch::Contains("22528 bytes on chip"));
  board.on_chip_bytes = 22528;
  board.bandwidth_bytes_per_s = 0.7e9;
  CHECK_THROWS_WITH(npu::require_fits(npu, board), Catch::Contains("bandwidth"));
}
