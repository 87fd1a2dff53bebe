// What a layer does, operation by operation: counted one by one by loops that share no formula with
// npu_model/energy.h, and by hand; and the joules that follow.
#include <algorithm>

#include <catch2/catch.hpp>

#include "npu_model/batch_policy_table.h"
#include "npu_model/design_search.h"
#include "npu_model/energy.h"
#include "tests/support/examples.h"
#include "tests/support/random_npus.h"

using namespace fluidbatch;
using npu::LayerAccesses;
using npu::Residency;

namespace {

/// Walks the rows, words and lanes of a layer on the engine, and counts one for each thing that happens.
class Counter {
 public:
  Counter(const npu::Layer& layer, const npu::Npu& npu, const npu::BatchPolicy& policy, int batch,
          std::int64_t packed)
      : layer_(layer),
        npu_(npu),
        policy_(policy),
        packed_(packed),
        own_products_(layer.kind == npu::LayerKind::matmul),
        tile_r_(npu.t_r / policy.k),
        tile_p_(npu.t_p * policy.k),
        tile_c_(npu.t_c / policy.k),
        rows_((own_products_ ? 1 : policy.b_r) * layer.gemm.r),
        depth_(packed * layer.gemm.p),
        channels_(packed * layer.gemm.c),
        blocks_(own_products_ ? 1 : policy.b_p),
        products_((layer.gemm.groups + packed - 1) / packed * (own_products_ ? batch : 1)) {}

  LayerAccesses count() {
    for (std::int64_t product = 0; product < products_; ++product) {
      if (keeps_rows()) {
        for (std::int64_t r = 0; r < rows_; r += tile_r_)
          for (std::int64_t c = 0; c < channels_; c += tile_c_) output_tile(r, c);
      } else {
        for (std::int64_t c = 0; c < channels_; c += tile_c_)
          for (std::int64_t r = 0; r < rows_; r += tile_r_) output_tile(r, c);
      }
    }
    return found_;
  }

 private:
  [[nodiscard]] bool keeps_rows() const {
    return policy_.residency == Residency::row || policy_.residency == Residency::weights;
  }

  void output_tile(std::int64_t r, std::int64_t c) {
    for (std::int64_t p = 0; p < depth_; p += tile_p_) {
      for (std::int64_t block = 0; block < blocks_; ++block) {
        if (!(keeps_rows() && c > 0)) bring_input(r, p);
        if (weights_cross(r, block)) bring_weights(p, c);
        compute(r, p, c);
      }
    }
    for (std::int64_t row = r; row < std::min(r + tile_r_, rows_); ++row) {
      for (std::int64_t channel = c; channel < std::min(c + tile_c_, channels_); ++channel) {
        found_.output_reads += blocks_;  // by the store
        found_.dram_words += blocks_;
      }
    }
  }

  void bring_input(std::int64_t r, std::int64_t p) {
    for (std::int64_t row = r; row < std::min(r + tile_r_, rows_); ++row) {
      if (npu_.input_path == npu::InputPath::im2col) {
        for (std::int64_t word = p; word < std::min(p + tile_p_, depth_); ++word) bring(found_.input_writes);
      } else if (p == 0 && row % layer_.gemm.r == 0) {  // of a sample, all its words for this pass
        const std::int64_t matrix = layer_.gemm.r * layer_.gemm.p;
        const std::int64_t distinct = layer_.distinct_input_words > 0 ? layer_.distinct_input_words : matrix;
        for (std::int64_t group = 0; group < packed_; ++group)
          for (std::int64_t word = 0; word < std::min(distinct, matrix); ++word) bring(found_.input_writes);
      }
    }
  }

  [[nodiscard]] bool weights_cross(std::int64_t r, std::int64_t block) const {
    const bool resident = npu_.weight_source == npu::WeightSource::on_chip && !own_products_;
    if (resident) return false;
    const bool first = r == 0 && block == 0;
    if (policy_.residency == Residency::column || policy_.residency == Residency::weights) return first;
    if (depth_ <= tile_p_) {  // the tile stays, unless other columns come between two row blocks
      const bool others_between = policy_.residency == Residency::row && channels_ > tile_c_;
      const bool again = others_between && npu_.row_weights == npu::RowWeights::each_block;
      return again ? block == 0 : first;
    }
    return block == 0 || npu_.weight_reuse == npu::WeightReuse::none;
  }

  /// Of block-diagonal matrices, the places that have a weight.
  [[nodiscard]] bool is_weight(std::int64_t word, std::int64_t channel) const {
    return word / layer_.gemm.p == channel / layer_.gemm.c;
  }

  void bring_weights(std::int64_t p, std::int64_t c) {
    for_weights(p, c, [&] { bring(found_.weight_writes); });
  }

  template <typename Visit>
  void for_weights(std::int64_t p, std::int64_t c, const Visit& visit) const {
    for (std::int64_t word = p; word < std::min(p + tile_p_, depth_); ++word)
      for (std::int64_t channel = c; channel < std::min(c + tile_c_, channels_); ++channel)
        if (is_weight(word, channel)) visit();
  }

  /// A tile of inputs passes a tile of weights.
  void compute(std::int64_t r, std::int64_t p, std::int64_t c) {
    for_weights(p, c, [&] { ++found_.weight_reads; });  // into the operand registers
    for (std::int64_t row = r; row < std::min(r + tile_r_, rows_); ++row) {
      for (std::int64_t word = p; word < std::min(p + tile_p_, depth_); ++word) ++found_.input_reads;
      for_weights(p, c, [&] { ++found_.macs; });
      for (std::int64_t channel = c; channel < std::min(c + tile_c_, channels_); ++channel) {
        if (p > 0) ++found_.output_reads;  // the partial sum that this one is added to
        ++found_.output_writes;
      }
    }
  }

  void bring(std::int64_t& writes) {
    ++writes;
    ++found_.dram_words;
  }

  const npu::Layer& layer_;
  const npu::Npu& npu_;
  const npu::BatchPolicy& policy_;
  std::int64_t packed_;
  bool own_products_;  // each sample has a right matrix of its own
  std::int64_t tile_r_;
  std::int64_t tile_p_;
  std::int64_t tile_c_;
  std::int64_t rows_;
  std::int64_t depth_;
  std::int64_t channels_;
  std::int64_t blocks_;
  std::int64_t products_;
  LayerAccesses found_;
};

/// Engines and layers small enough for loops over every word.
class SmallCases {
 public:
  explicit SmallCases(std::uint64_t seed) : cases_(seed) {}

  std::int64_t pick(std::int64_t from, std::int64_t to) { return cases_.pick(from, to); }

  npu::Npu npu() {
    npu::Npu npu = cases_.npu();
    npu.t_r = npu.k_max * cases_.pick(1, 3);
    npu.t_p = cases_.pick(1, 5);
    npu.t_c = npu.k_max * cases_.pick(1, 3);
    return npu;
  }

  npu::Layer layer() {
    npu::Layer layer =
        test::gemm_layer("l", {.groups = pick(1, 3), .r = pick(1, 14), .p = pick(1, 22), .c = pick(1, 13)});
    const std::int64_t kind = pick(0, 3);
    if (kind == 0) {
      layer.kind = npu::LayerKind::depthwise;
      layer.gemm = {.groups = pick(1, 20), .r = pick(1, 12), .p = pick(1, 9), .c = 1};
    }
    if (kind == 1) layer.kind = npu::LayerKind::matmul;
    const std::int64_t all = layer.gemm.r * layer.gemm.p;
    if (pick(0, 2) > 0) layer.distinct_input_words = pick(1, all + 5);
    layer.line_words = pick(0, 20);
    return layer;
  }

  npu::BatchPolicy policy(const npu::Npu& npu, int batch) { return cases_.policy(npu, batch); }

 private:
  test::RandomCases cases_;
};

LayerAccesses accesses_of(const npu::Layer& layer, const npu::Npu& npu, int batch,
                          const npu::BatchPolicy& policy) {
  return npu::layer_accesses(layer, npu, batch, policy, npu::layer_cost(layer, npu, batch, policy));
}

constexpr npu::OperationEnergies kEnergies{.mac_pj = 1,
                                           .input_buffer_pj_per_word = 2,
                                           .weight_buffer_pj_per_word = 3,
                                           .output_buffer_pj_per_word = 5,
                                           .dram_pj_per_word = 100,
                                           .static_w = 0.25};

}  // namespace

TEST_CASE("accesses are those that loops over every word count", "[energy][oracle]") {
  SmallCases cases(20);
  int packed = 0;
  int stacked = 0;
  int several_blocks = 0;
  for (int i = 0; i < 6'000; ++i) {
    const npu::Npu npu = cases.npu();
    const npu::Layer layer = cases.layer();
    const auto batch = static_cast<int>(cases.pick(1, 6));
    const npu::BatchPolicy policy = cases.policy(npu, batch);
    const npu::LayerCost cost = npu::layer_cost(layer, npu, batch, policy);
    INFO("case " << i << ", " << layer.gemm.groups << " x " << layer.gemm.r << " x " << layer.gemm.p << " x "
                 << layer.gemm.c << ", batch " << batch << ", <" << policy.b_r << ", " << policy.b_p << ", "
                 << policy.k << ", " << npu::name_of(policy.residency) << ">");
    REQUIRE(npu::layer_accesses(layer, npu, batch, policy, cost) ==
            Counter(layer, npu, policy, batch, cost.packed_groups).count());
    packed += cost.packed_groups > 1 ? 1 : 0;
    stacked += policy.k > 1 ? 1 : 0;
    several_blocks += policy.b_p > 1 ? 1 : 0;
  }
  CHECK(std::min({packed, stacked, several_blocks}) > 300);
}

TEST_CASE("accesses by hand", "[energy]") {
  npu::Npu npu = test::small_npu();  // <64, 16, 32>
  npu.weight_reuse = npu::WeightReuse::interleaved;
  npu.energy = kEnergies;
  // 100 rows in two tiles, 40 words in three, 50 channels in two.
  const npu::Layer layer = test::gemm_layer("l", {.groups = 1, .r = 100, .p = 40, .c = 50});
  const LayerAccesses found = accesses_of(layer, npu, 1, {});
  CHECK(found == LayerAccesses{.macs = 200'000,
                               .input_writes = 8'000,
                               .input_reads = 8'000,
                               .weight_writes = 4'000,
                               .weight_reads = 4'000,
                               .output_writes = 15'000,
                               .output_reads = 15'000,
                               .dram_words = 17'000});
  // 200,000 x 1 + 16,000 x 2 + 8,000 x 3 + 30,000 x 5 + 17,000 x 100 pJ.
  const npu::DynamicEnergy energy = npu::dynamic_energy(found, kEnergies);
  CHECK(energy.mac_j == Approx(200e-9).epsilon(1e-14));
  CHECK(energy.buffers_j() == Approx(206e-9).epsilon(1e-14));
  CHECK(energy.dram_j == Approx(1.7e-6).epsilon(1e-14));
  CHECK(npu::energy_j(energy, kEnergies, 2e-6) == Approx(2.106e-6 + 0.5e-6).epsilon(1e-14));

  // Two blocks pass each weight tile, which crosses once; <32, 32, 16> has two tiles along P.
  const LayerAccesses two = accesses_of(layer, npu, 2, {.b_r = 1, .b_p = 2, .k = 2});
  CHECK(two == LayerAccesses{.macs = 400'000,
                             .input_writes = 32'000,
                             .input_reads = 32'000,
                             .weight_writes = 8'000,
                             .weight_reads = 16'000,
                             .output_writes = 20'000,
                             .output_reads = 20'000,
                             .dram_words = 50'000});

  npu::Layer mover;
  mover.kind = npu::LayerKind::add;
  mover.mover_input_words = 60;
  mover.mover_output_words = 30;
  CHECK(accesses_of(mover, npu, 3, {.b_r = 3}) == LayerAccesses{.input_writes = 180,
                                                                .input_reads = 180,
                                                                .output_writes = 90,
                                                                .output_reads = 90,
                                                                .dram_words = 270});
}

TEST_CASE("what holds for any layer", "[energy]") {
  test::RandomCases cases(21);
  for (int i = 0; i < 4'000; ++i) {
    const npu::Npu npu = cases.npu();
    const npu::Layer layer = cases.layer();
    const auto batch = static_cast<int>(cases.pick(1, 9));
    const npu::BatchPolicy policy = cases.policy(npu, batch);
    const npu::LayerCost cost = npu::layer_cost(layer, npu, batch, policy);
    const LayerAccesses found = npu::layer_accesses(layer, npu, batch, policy, cost);
    INFO("case " << i);
    CHECK(found.macs >= cost.useful_macs);
    CHECK(npu::dynamic_energy(found, kEnergies).total_j() >= 1e-12 * static_cast<double>(cost.useful_macs));
    CHECK(found.input_reads >= found.input_writes);  // what is brought in is used
    CHECK(found.output_reads == found.output_writes);
    CHECK(found.output_writes >= cost.output_words);
    CHECK(found.dram_words == cost.input_words + cost.weight_words + cost.output_words);
    const bool stays = policy.residency == Residency::column || policy.residency == Residency::weights;
    if (stays || npu.weight_source == npu::WeightSource::on_chip)
      CHECK(found.weight_reads >= found.weight_writes);
    // Deeper dot products add fewer partial sums, and thinner columns read the input more often.
    if (layer.kind == npu::LayerKind::convolution && policy.k < npu.k_max) {
      npu::BatchPolicy stacked = policy;
      stacked.k *= 2;
      const LayerAccesses other = accesses_of(layer, npu, batch, stacked);
      CHECK(other.macs == found.macs);
      CHECK(other.output_writes <= found.output_writes);
      CHECK(other.input_reads >= found.input_reads);
      CHECK(other.weight_reads >= found.weight_reads);
    }
  }
}

TEST_CASE("a table's energies are those of its layers, and absent without an NPU's", "[energy]") {
  const auto layers = test::shipped_network("mobilenet_v2").layers;
  npu::Npu npu = test::small_npu();
  const npu::BatchPolicyTable silent(layers, npu, npu::Mode::fluid_stacked, 3);
  CHECK(silent.energies() == nullptr);
  npu.energy = kEnergies;
  const npu::BatchPolicyTable table(layers, npu, npu::Mode::fluid_stacked, 3);
  REQUIRE(table.energies() != nullptr);
  npu::DynamicEnergy sum;
  for (int l = 0; l < table.layers(); ++l) {
    const npu::ControlBlock& block = *table.control_block();
    CHECK(block.policy(l, 3) == silent.control_block()->policy(l, 3));  // energies choose nothing
    const npu::DynamicEnergy one =
        npu::dynamic_energy(accesses_of(table.layer(l), npu, 3, block.policy(l, 3)), kEnergies);
    CHECK(table.dynamic_energy(l, 3).total_j() == one.total_j());
    sum.add(one, 1);
  }
  CHECK(sum.dram_j > sum.mac_j);

  npu::SearchSettings settings;
  settings.base = npu;
  settings.batches = {1, 3};
  const std::vector<double> energies_j = npu::network_energies_j(layers, npu, settings);
  REQUIRE(energies_j.size() == 2);
  CHECK(energies_j[1] ==
        Approx(sum.total_j() + kEnergies.static_w * table.latency_s(0, table.layers(), 3)).epsilon(1e-12));
}

TEST_CASE("a search by energy ranks as whole tables do", "[energy][search]") {
  const auto layers = test::shipped_network("resnet18").layers;
  npu::SearchSettings settings;
  settings.board = {.name = "board",
                    .description = {},
                    .source = {},
                    .dsps = 900,
                    .on_chip_bytes = 2'511'360,
                    .bandwidth_bytes_per_s = 4e9,
                    .clock_hz = 150e6};
  settings.base = test::small_npu();
  settings.batches = {1, 3};
  settings.t_r = {96, 16};
  settings.t_p = {4, 12, 28};
  settings.objective = npu::Objective::energy;
  CHECK_THROWS_WITH(npu::search_designs(layers, settings), Catch::Contains("needs an engine with energies"));
  settings.base.energy = kEnergies;
  for (const npu::Objective objective : {npu::Objective::energy, npu::Objective::edp}) {
    settings.objective = objective;
    const npu::SearchResult result = npu::search_designs(layers, settings);
    REQUIRE(result.designs.size() > 50);
    double last = 0;
    std::vector<std::pair<double, double>> points;  // latency at the least batch, energy per sample
    for (const npu::Design& design : result.designs) {
      double energy_j = 0;
      double product_js = 0;
      const npu::BatchPolicyTable table(layers, design.npu, npu::Mode::fluid_stacked, 3);
      for (const int batch : {1, 3}) {
        const double latency_s = table.latency_s(0, table.layers(), batch);
        double batch_j = kEnergies.static_w * latency_s;
        for (int l = 0; l < table.layers(); ++l) batch_j += table.dynamic_energy(l, batch).total_j();
        energy_j += batch_j / batch / 2;
        product_js += batch_j / batch * latency_s / batch / 2;
      }
      const npu::EnergyScores scores =
          npu::energy_scores(design.energies_j, design.latencies_s, settings.batches);
      CHECK(scores.energy_per_sample_j == Approx(energy_j).epsilon(1e-12));
      CHECK(scores.edp_js == Approx(product_js).epsilon(1e-12));
      const double score = objective == npu::Objective::energy ? scores.energy_per_sample_j : scores.edp_js;
      CHECK(score >= last);
      last = score;
      points.emplace_back(design.latencies_s.front(), scores.energy_per_sample_j);
    }
    for (std::size_t i = 0; i < points.size(); ++i) {
      const bool beaten = std::any_of(points.begin(), points.end(), [&](const auto& other) {
        return other.first <= points[i].first && other.second <= points[i].second && other != points[i];
      });
      const bool listed = std::find(result.pareto.begin(), result.pareto.end(), i) != result.pareto.end();
      if (listed) CHECK_FALSE(beaten);
      if (!beaten && !listed) {
        CHECK(std::any_of(result.pareto.begin(), result.pareto.end(),
                          [&](std::size_t p) { return points[p] == points[i]; }));
      }
    }
  }
}
