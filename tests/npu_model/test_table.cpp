// The latency table: prefix sums, segments, and what batching does to latency in mode r.
#include <numeric>

#include <catch2/catch.hpp>

#include "npu_model/batch_policy_table.h"
#include "tests/support/examples.h"
#include "workloads/models/npu_file.h"

using namespace fluidbatch;

TEST_CASE("the table is the layers' costs and their sums", "[npu_model]") {
  const workloads::Network network = test::shipped_network("ee_resnet50");
  const npu::BatchPolicyTable table(network.layers, workloads::load_npu(test::named("zu7ev_large")),
                                    npu::Mode::r, 8);
  REQUIRE(table.layers() == static_cast<int>(network.layers.size()));
  REQUIRE(table.segments() == 4);
  CHECK(table.segment_begin(0) == 0);
  CHECK(table.segment_begin(4) == table.layers());

  for (const int batch : {1, 2, 5, 8}) {
    double sum = 0;
    double segments = 0;
    for (int l = 0; l < table.layers(); ++l) {
      const npu::LayerCost cost =
          npu::layer_cost(table.layer(l), *table.npu(), batch, table.control_block()->policy(l, batch));
      CHECK(table.control_block()->cost(l, batch).latency_s == cost.latency_s);
      CHECK(table.latency_s(l, l + 1, batch) == Approx(cost.latency_s).epsilon(1e-9));
      sum += cost.latency_s;
    }
    for (int s = 0; s < 4; ++s)
      segments += table.latency_s(table.segment_begin(s), table.segment_begin(s + 1), batch);
    CHECK(table.latency_s(0, table.layers(), batch) == Approx(sum).epsilon(1e-12));
    CHECK(segments == Approx(sum).epsilon(1e-12));
  }
  CHECK(table.macs(0, table.layers()) == static_cast<double>(network.macs()));
  CHECK(table.macs(0, 20) + table.macs(20, table.layers()) == static_cast<double>(network.macs()));
}

TEST_CASE("who waits for a table is asked at each of its cells, and can end it", "[npu_model]") {
  const auto layers = test::shipped_network("resnet18").layers;
  const npu::Npu npu = workloads::load_npu(test::named("zu7ev_large"));
  std::size_t calls = 0;
  workloads::table_of(layers, npu, npu::Mode::r, 3, [&] { ++calls; });
  CHECK(calls == 3 * layers.size());
  const npu::Poll poll = [] { throw std::runtime_error("enough"); };
  CHECK_THROWS_WITH(workloads::table_of(layers, npu, npu::Mode::r, 3, poll), "enough");
}

TEST_CASE("mode r: a larger batch never takes less, up to one last tile store", "[npu_model]") {
  for (const char* name : {"zu7ev_large", "zu7ev_small", "z7045_middle"}) {
    const npu::Npu npu = workloads::load_npu(test::named(name));
    const npu::BatchPolicyTable table(test::shipped_network("resnet50").layers, npu, npu::Mode::r, 16);
    const double last_store_s =
        static_cast<double>(npu.t_r * npu.t_c) * npu.cycles_per_output_word() / npu.clock_hz;
    for (int l = 0; l < table.layers(); ++l) {
      for (int b = 2; b <= 16; ++b) {
        CHECK(table.control_block()->cost(l, b).latency_s >=
              table.control_block()->cost(l, b - 1).latency_s - last_store_s);
        CHECK(table.control_block()->cost(l, b).latency_s >=
              table.control_block()->cost(l, b).roofline_s * (1 - 1e-12));
        CHECK(table.control_block()->policy(l, b) == npu::BatchPolicy{.b_r = b, .b_p = 1, .k = 1});
      }
    }
  }
}

TEST_CASE("with unlimited bandwidth latency is compute, and the roofline too", "[npu_model]") {
  npu::Npu npu = test::small_npu();
  npu.input_bandwidth_bytes_per_s = npu.output_bandwidth_bytes_per_s =
      std::numeric_limits<double>::infinity();
  const npu::BatchPolicyTable table(test::shipped_network("resnet50").layers, npu, npu::Mode::r, 4);
  for (int l = 0; l < table.layers(); ++l) {
    const npu::LayerCost& cost = table.control_block()->cost(l, 3);
    CHECK(cost.latency_cycles == static_cast<double>(cost.compute_cycles));
    CHECK(cost.roofline_cycles == cost.latency_cycles);
  }
}

TEST_CASE("Timeloop's cycles for 54 layers of ResNet-50", "[npu_model][oracle]") {
  // Timeloop 2.0 on <128, 16, 64>, rows padded, unlimited bandwidth: 5,751,296 cycles for the layer list of
  // 3.858 GMAC, whose strides are in the 1 x 1 convolutions.
  workloads::Network network = test::shipped_network("resnet50");
  for (std::size_t i = 0; i + 1 < network.layers.size(); ++i) {
    // conv<s>_1_a of stages 3 to 5 runs at the stage's input size with the stride in conv<s>_1_b; give it the
    // stride, which quarters its rows.
    const std::string& name = network.layers[i].name;
    if (name == "conv3_1_a" || name == "conv4_1_a" || name == "conv5_1_a") network.layers[i].gemm.r /= 4;
  }
  CHECK(static_cast<double>(network.macs()) / 1e9 == Approx(3.858).epsilon(0.0005));
  npu::Npu npu = test::small_npu();
  npu.t_r = 128;
  npu.t_p = 16;
  npu.t_c = 64;
  std::int64_t cycles = 0;
  for (const npu::Layer& layer : network.layers) {
    cycles += npu::layer_cost(layer, npu, 1, npu::blocks_of(1, 1, 1)).compute_cycles;
  }
  CHECK(cycles == 5'751'296);
}

TEST_CASE("a measured table has latencies and no control block", "[npu_model]") {
  const std::vector<npu::Layer> layers{test::gemm_layer("a", {.groups = 1, .r = 4, .p = 4, .c = 4})};
  const npu::BatchPolicyTable measured(layers, Eigen::ArrayXXd::Constant(1, 2, 0.5));
  CHECK(measured.control_block() == nullptr);
  CHECK(measured.npu() == nullptr);
  CHECK(measured.mode_name() == "measured");
  CHECK(measured.latency_s(0, 1, 2) == 0.5);

  const npu::ControlBlock block(layers, test::small_npu(), npu::Mode::r, 2);
  const npu::BatchPolicyTable modelled(layers, test::small_npu(), npu::Mode::r, 2);
  REQUIRE(modelled.control_block() != nullptr);
  for (int batch = 1; batch <= 2; ++batch) {
    CHECK(modelled.control_block()->policy(0, batch) == block.policy(0, batch));
    CHECK(modelled.latency_s(0, 1, batch) == block.latencies_s()(0, batch - 1));
  }
}

TEST_CASE("a table needs layers, a batch, and segments without a gap", "[npu_model]") {
  const npu::Npu npu = test::small_npu();
  const npu::Gemm gemm{.groups = 1, .r = 4, .p = 4, .c = 4};
  CHECK_THROWS_AS(npu::BatchPolicyTable({}, npu, npu::Mode::r, 1), std::invalid_argument);
  CHECK_THROWS_AS(npu::BatchPolicyTable({test::gemm_layer("a", gemm)}, npu, npu::Mode::r, 0),
                  std::invalid_argument);
  CHECK_THROWS_WITH(npu::BatchPolicyTable({test::gemm_layer("a", gemm, 0), test::gemm_layer("b", gemm, 2)},
                                          npu, npu::Mode::r, 1),
                    Catch::Contains("'b'"));
}
