// The RTL engine beside the closed form of npu_model/cost.h and beside Eigen: random layers on every engine.
//
// Every output word has to be Eigen's; compute cycles and words have to be layer_cost's; without a limit of
// bandwidth the latency has to be layer_cost's and a constant of the engine. Exit code 1 where one is not.
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <limits>
#include <map>
#include <string>

#include "npu_model/batch_policies.h"
#include "tests/rtl/engine.h"

namespace fluidbatch::rtl {
namespace {

using npu::Residency;

std::int64_t tiles_in(std::int64_t extent, std::int64_t tile) { return (extent + tile - 1) / tile; }

/// Cycles from the issue of a row to the end of its store: buffers, operands, products, tree and joining, then
/// accumulator, queue and store. The cycle of the issue itself is a compute cycle and not counted.
std::int64_t pipeline_cycles(const EngineSize& size) {
  const auto levels = [](int n) {
    int bits = 0;
    while ((1 << bits) < n) ++bits;
    return bits;
  };
  return 3 + levels(size.t_p) + levels(size.k_max) + 2;
}

struct Case {
  npu::Npu npu;
  npu::Layer layer;
  int batch = 1;
  npu::BatchPolicy policy;
};

/// What the host writes for a case.
ControlBlockWords control_block_of(const Case& c, int shift, double words_per_cycle) {
  const npu::Gemm& gemm = c.layer.gemm;
  const std::int64_t n_p = tiles_in(gemm.p, c.npu.t_p * c.policy.k);
  const std::int64_t n_c = tiles_in(gemm.c, c.npu.t_c / c.policy.k);
  const bool keep_rows = c.policy.residency == Residency::row;
  const bool keep_weights = c.policy.residency == Residency::column || (n_p == 1 && (!keep_rows || n_c == 1));
  return {.groups = gemm.groups,
          .rows = c.policy.b_r * gemm.r,
          .depth = gemm.p,
          .channels = gemm.c,
          .blocks = c.policy.b_p,
          .k = c.policy.k,
          .keep_rows = keep_rows,
          .keep_weights = keep_weights,
          .blocks_inside = n_p == 1 || c.npu.weight_reuse == npu::WeightReuse::interleaved,
          .pad_rows = c.npu.edge_rows == npu::EdgeRows::pad,
          .input_places = keep_rows ? 2 * n_p * c.policy.b_p : 2,
          .weight_places = c.policy.residency == Residency::column ? 2 * n_p : 2,
          .fill_cycles = c.npu.fill_cycles,
          .shift = shift,
          .words_per_cycle = words_per_cycle};
}

/// The engine's own room: places of its buffers, and accumulators, of which those of idle PEs are no use.
bool has_room(const EngineSize& size, const ControlBlockWords& control) {
  const std::int64_t tile_rows = std::min<std::int64_t>(size.t_r / control.k, control.rows);
  const bool sums_up = control.depth > size.t_p * control.k;
  const std::int64_t unit_rows = tile_rows * (control.blocks_inside ? control.blocks : 1);
  return control.input_places <= size.input_places && control.weight_places <= size.weight_places &&
         (!sums_up || unit_rows <= static_cast<std::int64_t>(size.output_tiles) * size.t_r * control.k);
}

class Bench {
 public:
  explicit Bench(std::uint64_t seed) : random_(seed) {}

  /// A random case that the engine has room for.
  Case random_case(const EngineSize& size) {
    while (true) {
      Case c;
      c.npu.t_r = size.t_r;
      c.npu.t_p = size.t_p;
      c.npu.t_c = size.t_c;
      c.npu.k_max = size.k_max;
      c.npu.output_tiles = size.output_tiles;
      c.npu.clock_hz = 1e8;
      c.npu.input_bandwidth_bytes_per_s = std::numeric_limits<double>::infinity();
      c.npu.output_bandwidth_bytes_per_s = std::numeric_limits<double>::infinity();
      c.npu.edge_rows = one_in(2) ? npu::EdgeRows::pad : npu::EdgeRows::trim;
      c.npu.weight_reuse = one_in(2) ? npu::WeightReuse::none : npu::WeightReuse::interleaved;
      c.npu.row_weights = npu::RowWeights::each_block;
      c.npu.fill_cycles = one_in(3) ? pick(1, 30) : 0;
      c.npu.residency = std::nullopt;
      c.layer.gemm = {.groups = one_in(4) ? pick(2, 3) : 1,
                      .r = one_in(4) ? 1 : pick(1, 60),
                      .p = one_in(4) ? pick(1, 4 * size.t_p) : pick(1, 120),
                      .c = one_in(4) ? pick(1, size.t_c) : pick(1, 50)};
      c.batch = static_cast<int>(pick(1, 4));
      const auto policies = npu::candidates(npu::Mode::fluid_stacked, c.npu, c.batch);
      c.policy = policies[static_cast<std::size_t>(pick(0, static_cast<std::int64_t>(policies.size()) - 1))];
      if (c.policy.residency == Residency::weights) continue;  // the engine has no such buffer
      if (!layer_cost(c.layer, c.npu, c.batch, c.policy).feasible) continue;
      if (has_room(size, control_block_of(c, 0, 0))) return c;
      ++without_room_;
    }
  }

  void run_case(Engine& engine, const Case& c) {
    const int shift = static_cast<int>(pick(13, 20));
    LayerData data(c.layer.gemm, c.batch, c.policy, shift, random_);
    const npu::LayerCost cost = layer_cost(c.layer, c.npu, c.batch, c.policy);
    const Counters found =
        engine.run(control_block_of(c, shift, 0), data, 10'000 + 4 * cost.compute_cycles);
    expect(c, "wrong output words", data.wrong_words(), 0);
    expect(c, "compute cycles", found.compute_cycles, cost.compute_cycles);
    expect(c, "input words", found.input_words, cost.input_words);
    expect(c, "weight words", found.weight_words, cost.weight_words);
    expect(c, "output words", found.output_words, cost.output_words);
    expect(c, "latency", found.cycles, static_cast<std::int64_t>(cost.latency_cycles) + constant(engine.size(), c));
    words_ += found.output_words;
    cycles_ += found.cycles;
    ++cases_;
  }

  /// Latency of the RTL over the closed form's, with a finite channel; words and data are checked again.
  double run_with_channel(Engine& engine, Case c) {
    const int shift = static_cast<int>(pick(13, 20));
    const double words_per_cycle = static_cast<double>(pick(8, 16 * (c.npu.t_p + c.npu.t_c))) / 16;
    c.npu.input_bandwidth_bytes_per_s = words_per_cycle * c.npu.word_bytes * c.npu.clock_hz;
    c.npu.output_bandwidth_bytes_per_s = c.npu.input_bandwidth_bytes_per_s;
    LayerData data(c.layer.gemm, c.batch, c.policy, shift, random_);
    const npu::LayerCost cost = layer_cost(c.layer, c.npu, c.batch, c.policy);
    const Counters found = engine.run(control_block_of(c, shift, words_per_cycle), data,
                                      10'000 + 4 * static_cast<std::int64_t>(cost.latency_cycles));
    expect(c, "wrong output words", data.wrong_words(), 0);
    expect(c, "compute cycles", found.compute_cycles, cost.compute_cycles);
    expect(c, "words", found.input_words + found.weight_words + found.output_words,
           cost.input_words + cost.weight_words + cost.output_words);
    ++cases_;
    cycles_ += found.cycles;
    words_ += found.output_words;
    return static_cast<double>(found.cycles) / cost.latency_cycles;
  }

  /// What the RTL takes beside the closed form without a limit of bandwidth: one cycle for the first load, and the
  /// pipeline behind the last real row, beside which the padded rows and the fill of the last tile pass.
  static std::int64_t constant(const EngineSize& size, const Case& c) {
    const std::int64_t tile_rows = size.t_r / c.policy.k;
    const std::int64_t rows = c.policy.b_r * c.layer.gemm.r;
    const std::int64_t padded = c.npu.edge_rows == npu::EdgeRows::pad ? tiles_in(rows, tile_rows) * tile_rows - rows : 0;
    return 1 + std::max<std::int64_t>(pipeline_cycles(size) - padded - c.npu.fill_cycles, 0);
  }

  [[nodiscard]] std::int64_t failures() const { return failures_; }
  void print_sums() const {
    std::cout << cases_ << " layers, " << words_ << " output words, " << cycles_ << " cycles, " << failures_
              << " differences; " << without_room_ << " feasible cases drawn again for want of the engine's room\n";
  }

 private:
  std::int64_t pick(std::int64_t from, std::int64_t to) {
    return from + static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(to - from + 1));
  }
  bool one_in(int n) { return pick(1, n) == 1; }

  void expect(const Case& c, const std::string& what, std::int64_t found, std::int64_t expected) {
    if (found == expected) return;
    if (++failures_ > 20) return;
    const npu::Gemm& g = c.layer.gemm;
    std::cout << what << ": " << found << " instead of " << expected << " on <" << c.npu.t_r << ", " << c.npu.t_p
              << ", " << c.npu.t_c << ">, " << g.groups << " x (" << g.r << ", " << g.p << ", " << g.c
              << "), batch " << c.batch << ", <" << c.policy.b_r << ", " << c.policy.b_p << ", " << c.policy.k
              << ", " << npu::name_of(c.policy.residency) << "> "
              << (c.npu.edge_rows == npu::EdgeRows::pad ? "pad" : "trim")
              << (c.npu.weight_reuse == npu::WeightReuse::none ? " none" : " interleaved") << " D "
              << c.npu.fill_cycles << "\n";
  }

  std::mt19937_64 random_;
  std::int64_t cases_ = 0;
  std::int64_t words_ = 0;
  std::int64_t cycles_ = 0;
  std::int64_t failures_ = 0;
  std::int64_t without_room_ = 0;
};

void print_quantiles(const std::string& name, std::vector<double>& ratios) {
  std::sort(ratios.begin(), ratios.end());
  const auto at = [&](double share) {
    return ratios[static_cast<std::size_t>(share * static_cast<double>(ratios.size() - 1))];
  };
  std::cout << name << ": RTL over closed form, least " << at(0) << ", 5 % " << at(0.05) << ", median " << at(0.5)
            << ", 95 % " << at(0.95) << ", most " << at(1) << "\n";
}

}  // namespace
}  // namespace fluidbatch::rtl

int main(int argc, char** argv) {
  using namespace fluidbatch::rtl;
  const int layers = argc > 1 ? std::atoi(argv[1]) : 100;  // of each engine, and each kind of channel
  Bench bench(argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1);
  std::vector<double> all;
  for (const auto& engine : all_engines()) {
    std::vector<double> ratios;
    for (int i = 0; i < layers; ++i) bench.run_case(*engine, bench.random_case(engine->size()));
    for (int i = 0; i < layers; ++i) ratios.push_back(bench.run_with_channel(*engine, bench.random_case(engine->size())));
    all.insert(all.end(), ratios.begin(), ratios.end());
    print_quantiles(engine->size().name, ratios);
  }
  print_quantiles("all", all);
  bench.print_sums();
  return bench.failures() == 0 ? 0 : 1;
}
