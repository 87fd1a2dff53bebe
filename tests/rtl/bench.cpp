// The RTL engine beside the closed form of npu_model/cost.h and beside Eigen: random layers on every engine.
//
// Every output word has to be Eigen's; compute cycles and words have to be layer_cost's, and what is
// multiplied, written and read layer_accesses'; without a limit of bandwidth the latency has to be
// layer_cost's and a constant of the engine. Exit code 1 where one is not.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "npu_model/batch_policies.h"
#include "tests/rtl/control_words.h"
#include "tests/rtl/network.h"
#include "tests/support/tile_loop.h"

namespace fluidbatch::rtl {
namespace {

class Bench {
 public:
  explicit Bench(std::uint64_t seed) : random_(seed) {}

  /// A random case that the engine has room for.
  Case random_case(const EngineSize& size) {
    while (true) {
      Case c;
      c.npu = npu_of(size);
      c.npu.edge_rows = one_in(2) ? npu::EdgeRows::pad : npu::EdgeRows::trim;
      c.npu.weight_reuse = one_in(2) ? npu::WeightReuse::none : npu::WeightReuse::interleaved;
      c.npu.fill_cycles = one_in(3) ? pick(1, 30) : 0;
      c.npu.residency = std::nullopt;
      c.layer.gemm = {.groups = one_in(4) ? pick(2, 3) : 1,
                      .r = one_in(4) ? 1 : pick(1, 60),
                      .p = one_in(4) ? pick(1, 4 * size.t_p) : pick(1, 120),
                      .c = one_in(4) ? pick(1, size.t_c) : pick(1, 50)};
      c.batch = static_cast<int>(pick(1, 4));
      const auto policies = npu::candidates(npu::Mode::fluid_stacked, c.npu, c.batch);
      c.policy = policies[static_cast<std::size_t>(pick(0, static_cast<std::int64_t>(policies.size()) - 1))];
      if (c.policy.residency == npu::Residency::weights) continue;  // the engine has no such buffer
      if (!layer_cost(c.layer, c.npu, c.batch, c.policy).feasible) continue;
      if (has_room(size, c)) return c;
      ++without_room_;
    }
  }

  /// A case whose output words outnumber all others: of short products over inputs that stay. Behind a slow
  /// channel the queue fills up, and the engine has to stop in time; without a limit it must not stop.
  Case case_of_many_outputs(const EngineSize& size) {
    while (true) {
      Case c = random_case(size);
      const bool is_short = c.layer.gemm.p <= size.t_p && c.layer.gemm.c > size.t_c;
      if (is_short && c.policy.residency == npu::Residency::row) return c;
    }
  }

  /// Words per cycle, from 1/4 to 64.
  double random_bandwidth() {
    return std::exp2(static_cast<double>(pick(0, 7))) * static_cast<double>(pick(4, 8)) / 16;
  }
  /// From 1/4 to 2.
  double slow_bandwidth() { return std::exp2(static_cast<double>(pick(0, 3))) / 4; }

  void run_case(Engine& engine, const Case& c) {
    const int shift = static_cast<int>(pick(13, 20));
    LayerData data = LayerData::random(c.layer.gemm, c.batch, c.policy, shift, random_);
    const npu::LayerCost cost = layer_cost(c.layer, c.npu, c.batch, c.policy);
    const Counters found = engine.run(control_words_of(c, shift, 0), data, 10'000 + 4 * cost.compute_cycles);
    check_counts(c, data, found, cost);
    expect(c, "latency", found.cycles,
           static_cast<std::int64_t>(cost.latency_cycles) + constant_cycles(engine.size(), c));
  }

  /// Latency of the RTL with a finite channel over the closed form's, and over the tile-by-tile loop's.
  /// Counts and data are checked again.
  std::pair<double, double> run_with_channel(Engine& engine, Case c, double words_per_cycle) {
    const int shift = static_cast<int>(pick(13, 20));
    c.npu.input_bandwidth_bytes_per_s = words_per_cycle * c.npu.word_bytes * c.npu.clock_hz;
    c.npu.output_bandwidth_bytes_per_s = c.npu.input_bandwidth_bytes_per_s;
    LayerData data = LayerData::random(c.layer.gemm, c.batch, c.policy, shift, random_);
    const npu::LayerCost cost = layer_cost(c.layer, c.npu, c.batch, c.policy);
    const Counters found = engine.run(control_words_of(c, shift, words_per_cycle), data,
                                      10'000 + 4 * static_cast<std::int64_t>(cost.latency_cycles));
    check_counts(c, data, found, cost);
    const auto cycles = static_cast<double>(found.cycles);
    return {cycles / cost.latency_cycles,
            cycles / test::run_tile_loop(c.layer, c.npu, c.policy).latency_cycles};
  }

  [[nodiscard]] std::int64_t failures() const { return failures_; }
  void print_sums() const {
    std::cout << cases_ << " layers, " << words_ << " output words, " << cycles_ << " cycles, " << macs_
              << " MACs, " << accesses_ << " accesses of buffers, " << failures_ << " differences; "
              << without_room_ << " feasible cases drawn again for want of the engine's room\n";
  }

 private:
  std::int64_t pick(std::int64_t from, std::int64_t to) {
    return from + static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(to - from + 1));
  }
  bool one_in(int n) { return pick(1, n) == 1; }

  /// What does not depend on the bandwidth.
  void check_counts(const Case& c, const LayerData& data, const Counters& found, const npu::LayerCost& cost) {
    expect(c, "wrong output words", data.wrong_words(), 0);
    expect(c, "compute cycles", found.compute_cycles, cost.compute_cycles);
    expect(c, "input words", found.input_words, cost.input_words);
    expect(c, "weight words", found.weight_words, cost.weight_words);
    expect(c, "output words", found.output_words, cost.output_words);
    const npu::LayerAccesses accesses = layer_accesses(c.layer, c.npu, c.batch, c.policy, cost);
    expect(c, "MACs", found.accesses.macs, accesses.macs);
    expect(c, "input buffer writes", found.accesses.input_writes, accesses.input_writes);
    expect(c, "input buffer reads", found.accesses.input_reads, accesses.input_reads);
    expect(c, "weight buffer writes", found.accesses.weight_writes, accesses.weight_writes);
    expect(c, "weight buffer reads", found.accesses.weight_reads, accesses.weight_reads);
    expect(c, "output buffer writes", found.accesses.output_writes, accesses.output_writes);
    expect(c, "output buffer reads", found.accesses.output_reads, accesses.output_reads);
    expect(c, "words of DRAM", found.accesses.dram_words, accesses.dram_words);
    accesses_ += accesses.input_buffer() + accesses.weight_buffer() + accesses.output_buffer();
    macs_ += accesses.macs;
    words_ += found.output_words;
    cycles_ += found.cycles;
    ++cases_;
  }

  void expect(const Case& c, const std::string& what, std::int64_t found, std::int64_t expected) {
    if (found == expected) return;
    if (++failures_ > 20) return;
    const npu::Gemm& g = c.layer.gemm;
    std::cout << what << ": " << found << " instead of " << expected << " on <" << c.npu.t_r << ", "
              << c.npu.t_p << ", " << c.npu.t_c << ">, " << g.groups << " x (" << g.r << ", " << g.p << ", "
              << g.c << "), batch " << c.batch << ", <" << c.policy.b_r << ", " << c.policy.b_p << ", "
              << c.policy.k << ", " << npu::name_of(c.policy.residency) << "> "
              << (c.npu.edge_rows == npu::EdgeRows::pad ? "pad" : "trim")
              << (c.npu.weight_reuse == npu::WeightReuse::none ? " none" : " interleaved") << " D "
              << c.npu.fill_cycles << "\n";
  }

  std::mt19937_64 random_;
  std::int64_t cases_ = 0;
  std::int64_t words_ = 0;
  std::int64_t cycles_ = 0;
  std::int64_t macs_ = 0;
  std::int64_t accesses_ = 0;
  std::int64_t failures_ = 0;
  std::int64_t without_room_ = 0;
};

/// Sorts the ratios, prints how they spread, and returns their median.
double print_quantiles(const std::string& name, std::vector<double> ratios) {
  std::sort(ratios.begin(), ratios.end());
  const auto at = [&](double share) {
    return ratios[static_cast<std::size_t>(share * static_cast<double>(ratios.size() - 1))];
  };
  std::cout << name << ": least " << at(0) << ", 5 % " << at(0.05) << ", median " << at(0.5) << ", 95 % "
            << at(0.95) << ", most " << at(1) << "\n";
  return at(0.5);
}

bool is_within(double share, double found, double expected) {
  return std::abs(found / expected - 1) <= share;
}

/// The network for batches 1 to 4, without and with a limit of bandwidth. False where words or counts of
/// accesses are wrong, or cycles too far from what they should be.
bool run_networks(Engine& engine) {
  bool right = true;
  for (const double words_per_cycle : {0.0, 16.0, 4.0}) {
    for (int batch = 1; batch <= 4; ++batch) {
      const NetworkRun run = run_network(engine, batch, words_per_cycle, 1);
      const auto cycles = static_cast<double>(run.cycles);
      const bool close = is_within(0.01, cycles, run.closed_form_cycles) &&
                         (words_per_cycle == 0 || is_within(0.01, cycles, run.tile_loop_cycles));
      right = right && close && run.wrong_words == 0 && run.wrong_counts == 0;
      std::cout << "  network, batch " << batch << ", "
                << (words_per_cycle == 0
                        ? "no limit"
                        : std::to_string(static_cast<int>(words_per_cycle)) + " words per cycle")
                << ": " << run.cycles << " cycles, over the closed form's "
                << cycles / run.closed_form_cycles;
      if (words_per_cycle > 0) std::cout << ", over the tile loop's " << cycles / run.tile_loop_cycles;
      std::cout << (close ? "" : " (too far)") << ", wrong words " << run.wrong_words
                << ", layers with wrong counts " << run.wrong_counts << "\n";
    }
  }
  return right;
}

}  // namespace
}  // namespace fluidbatch::rtl

int main(int argc, char** argv) {
  using namespace fluidbatch::rtl;
  const int layers = argc > 1 ? std::atoi(argv[1]) : 100;  // of each engine, and each kind of channel
  Bench bench(argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1);
  std::vector<double> to_closed_form;
  std::vector<double> to_tile_loop;
  bool networks_right = true;
  for (const auto& engine : all_engines()) {
    std::cout << engine->size().name << "\n";
    for (int i = 0; i < layers; ++i) bench.run_case(*engine, bench.random_case(engine->size()));
    for (int i = 0; i < layers; ++i) {
      const auto [closed_form, tile_loop] =
          bench.run_with_channel(*engine, bench.random_case(engine->size()), bench.random_bandwidth());
      to_closed_form.push_back(closed_form);
      to_tile_loop.push_back(tile_loop);
    }
    for (int i = 0; i < layers; ++i) {
      const Case many_outputs = bench.case_of_many_outputs(engine->size());
      bench.run_case(*engine, many_outputs);
      bench.run_with_channel(*engine, many_outputs, bench.slow_bandwidth());
    }
    networks_right = run_networks(*engine) && networks_right;
  }
  bench.print_sums();
  const double median = print_quantiles("finite channel, RTL over closed form", to_closed_form);
  print_quantiles("finite channel, RTL over tile loop", to_tile_loop);
  const bool close = is_within(0.02, median, 1);
  if (!close) std::cout << "the median is further than 2 % from 1\n";
  return bench.failures() == 0 && networks_right && close ? 0 : 1;
}
