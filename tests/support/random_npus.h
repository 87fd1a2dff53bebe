// Random engines, layers and batch policies for property tests.
#pragma once

#include <cmath>
#include <random>

#include "npu_model/batch_policies.h"
#include "tests/support/examples.h"

namespace fluidbatch::test {

class RandomCases {
 public:
  explicit RandomCases(std::uint64_t seed) : engine_(seed) {}

  std::int64_t pick(std::int64_t from, std::int64_t to) {
    return from + static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(to - from + 1));
  }
  bool one_in(int n) { return pick(1, n) == 1; }

  npu::Npu npu() {
    npu::Npu npu;
    npu.k_max = 1 << pick(0, 2);
    npu.t_r = npu.k_max * pick(1, 256 / npu.k_max);
    npu.t_p = pick(1, 64);
    npu.t_c = npu.k_max * pick(1, 128 / npu.k_max);
    npu.clock_hz = 1e8;
    npu.word_bytes = 2;
    npu.channel = one_in(2) ? npu::Channel::shared : npu::Channel::separate;
    npu.input_bandwidth_bytes_per_s = 2e8 * std::exp2(static_cast<double>(pick(0, 8)));
    npu.output_bandwidth_bytes_per_s = npu.channel == npu::Channel::shared
                                           ? npu.input_bandwidth_bytes_per_s
                                           : 2e8 * static_cast<double>(pick(1, 99));
    npu.edge_rows = one_in(2) ? npu::EdgeRows::pad : npu::EdgeRows::trim;
    npu.weight_source = one_in(4) ? npu::WeightSource::on_chip : npu::WeightSource::off_chip;
    npu.weight_reuse = static_cast<npu::WeightReuse>(pick(0, 1));
    npu.output_tiles = static_cast<int>(pick(1, 4));
    npu.fill_cycles = one_in(2) ? 0 : pick(0, 20);
    npu.layer_overhead_cycles = one_in(3) ? pick(1, 2'000) : 0;
    npu.input_path = one_in(2) ? npu::InputPath::im2col : npu::InputPath::line_buffer;
    npu.residency = std::nullopt;
    if (one_in(2)) npu.residency = static_cast<npu::Residency>(pick(0, 3));
    npu.row_weights = static_cast<npu::RowWeights>(pick(0, 1));
    return npu;
  }

  npu::Layer layer() {
    if (one_in(5)) {
      npu::Layer depthwise =
          gemm_layer("depthwise", {.groups = pick(2, 300), .r = pick(1, 400), .p = pick(1, 25), .c = 1});
      depthwise.kind = npu::LayerKind::depthwise;
      return with_repeats(depthwise);
    }
    return with_repeats(gemm_layer(
        "gemm",
        {.groups = one_in(4) ? pick(2, 3) : 1, .r = pick(1, 700), .p = pick(1, 700), .c = pick(1, 400)}));
  }

  /// Any policy that covers `batch`, feasible or not.
  npu::BatchPolicy policy(const npu::Npu& npu, int batch) {
    const auto all = npu::candidates(npu::Mode::fluid_stacked, npu, batch);
    return all[static_cast<std::size_t>(pick(0, static_cast<std::int64_t>(all.size()) - 1))];
  }

 private:
  /// Two of three layers as convolutions are: words of the input are repeated in its matrix, up to 25 times;
  /// of the others some have more words than the matrix, as with strides.
  npu::Layer with_repeats(npu::Layer layer) {
    const std::int64_t all = layer.gemm.r * layer.gemm.p;
    if (!one_in(3)) {
      layer.distinct_input_words = pick((all + 24) / 25, all);
      layer.line_words = pick(1, 2'000);
    } else if (one_in(2)) {
      layer.distinct_input_words = all + pick(0, 500);
    }
    return layer;
  }

  std::mt19937_64 engine_;
};

}  // namespace fluidbatch::test
