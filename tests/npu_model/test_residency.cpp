// What stays on the chip: what must hold between residencies, whatever the layer and the engine.
#include <algorithm>
#include <limits>

#include <catch2/catch.hpp>

#include "npu_model/batch_policies.h"
#include "tests/support/random_npus.h"

using namespace fluidbatch;
using npu::Mode;
using npu::Residency;

namespace {

constexpr Residency kAll[]{Residency::stream, Residency::row, Residency::column, Residency::weights};

double best(const npu::Layer& layer, const npu::Npu& npu, int batch, Mode mode) {
  return npu::choose(mode, npu::candidates(mode, npu, batch), layer, npu, batch).latency_cycles;
}

/// Somewhere between what the tiles take and sixteen times that, or without a bound.
void bound_memory(npu::Npu& npu, test::RandomCases& random) {
  const std::int64_t tiles = npu.tile_buffer_bytes();
  npu.on_chip_bytes = random.one_in(3) ? 0 : random.pick(tiles, 16 * tiles);
}

}  // namespace

TEST_CASE("auto is as fast as the fastest single residency", "[modes][residency]") {
  test::RandomCases random(19);
  int differ = 0;
  for (int i = 0; i < 2'000; ++i) {
    npu::Npu npu = random.npu();
    const npu::Layer layer = random.layer();
    const int batch = static_cast<int>(random.pick(1, 8));
    bound_memory(npu, random);
    for (const Mode mode : {Mode::r, Mode::fluid, Mode::fluid_stacked}) {
      INFO("case " << i << ", mode " << npu::name_of(mode));
      double least = std::numeric_limits<double>::infinity();
      double stream = 0;
      for (const Residency residency : kAll) {
        npu.residency = residency;
        least = std::min(least, best(layer, npu, batch, mode));
        if (residency == Residency::stream) stream = least;
      }
      npu.residency = std::nullopt;
      REQUIRE(best(layer, npu, batch, mode) == Approx(least).epsilon(1e-11));
      if (least < stream * (1 - 1e-11)) ++differ;
    }
  }
  CHECK(differ > 1'000);  // or the property would say nothing
}

TEST_CASE("more memory on the chip is never slower", "[modes][residency]") {
  test::RandomCases random(23);
  int faster = 0;
  for (int i = 0; i < 1'000; ++i) {
    npu::Npu npu = random.npu();
    npu.residency = std::nullopt;
    const npu::Layer layer = random.layer();
    const int batch = static_cast<int>(random.pick(1, 8));
    INFO("case " << i);
    double before = std::numeric_limits<double>::infinity();
    const std::int64_t tiles = npu.tile_buffer_bytes();
    for (npu.on_chip_bytes = tiles; npu.on_chip_bytes < 64 * tiles; npu.on_chip_bytes *= 2) {
      const double now = best(layer, npu, batch, Mode::fluid_stacked);
      REQUIRE(now <= before * (1 + 1e-11));
      if (now < before * (1 - 1e-11)) ++faster;
      before = now;
    }
    npu.on_chip_bytes = 0;
    REQUIRE(best(layer, npu, batch, Mode::fluid_stacked) <= before * (1 + 1e-11));
  }
  CHECK(faster > 1'000);
}

TEST_CASE("with unlimited bandwidth all residencies take the time to compute", "[modes][residency]") {
  test::RandomCases random(29);
  for (int i = 0; i < 2'000; ++i) {
    npu::Npu npu = random.npu();
    npu.residency = std::nullopt;
    npu.input_bandwidth_bytes_per_s = npu.output_bandwidth_bytes_per_s =
        std::numeric_limits<double>::infinity();
    npu::Layer layer = random.layer();
    if (random.one_in(8)) layer.kind = npu::LayerKind::matmul;
    const int batch = static_cast<int>(random.pick(1, 8));
    const auto all = npu::candidates(Mode::fluid_stacked, npu, batch);
    for (const npu::BatchPolicy& policy : all) {
      const npu::LayerCost cost = npu::layer_cost(layer, npu, batch, policy);
      REQUIRE(cost.latency_cycles == static_cast<double>(cost.compute_cycles + npu.layer_overhead_cycles));
    }
  }
}

TEST_CASE("words: row blocks that stay come once, and nothing beats its own words", "[modes][residency]") {
  test::RandomCases random(31);
  for (int i = 0; i < 2'000; ++i) {
    npu::Npu npu = random.npu();
    npu.residency = std::nullopt;
    npu.input_path = npu::InputPath::line_buffer;
    const npu::Layer layer = random.layer();
    const int batch = static_cast<int>(random.pick(1, 8));
    INFO("case " << i);
    const auto all = npu::candidates(Mode::fluid_stacked, npu, batch);
    for (const npu::BatchPolicy& policy : all) {
      const npu::LayerCost cost = npu::layer_cost(layer, npu, batch, policy);
      const std::int64_t packed = cost.packed_groups;
      const std::int64_t groups = (layer.gemm.groups + packed - 1) / packed * packed;
      const std::int64_t matrix = layer.gemm.r * layer.gemm.p;
      const std::int64_t distinct =
          layer.distinct_input_words > 0 ? std::min(layer.distinct_input_words, matrix) : matrix;
      REQUIRE(cost.unique_input_words == groups * policy.b_r * policy.b_p * distinct);
      const std::int64_t columns = (packed * layer.gemm.c * policy.k + npu.t_c - 1) / npu.t_c;
      const bool once = policy.residency == Residency::row || policy.residency == Residency::weights;
      REQUIRE(cost.input_words == cost.unique_input_words * (once ? 1 : columns));
      const double in =
          static_cast<double>(cost.input_words + cost.weight_words) * npu.cycles_per_input_word();
      const double out = static_cast<double>(cost.output_words) * npu.cycles_per_output_word();
      const double words = npu.channel == npu::Channel::shared ? in + out : std::max(in, out);
      const auto compute = static_cast<double>(cost.compute_cycles);
      REQUIRE(cost.latency_cycles - static_cast<double>(npu.layer_overhead_cycles) >=
              std::max(words, compute) * (1 - 1e-12));
    }
  }
}
