// Design-space search: which tile sizes <T_R, T_P, T_C> serve a network best within a board's budget.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "npu_model/batch_policies.h"
#include "npu_model/poll.h"

namespace fluidbatch::npu {

/// What designs are ranked by, each a mean over the batch mix; less is better.
enum class Objective {
  latency,  ///< seconds per sample
  energy,   ///< joules per sample
  edp,      ///< joules per sample times seconds per sample
};

/// The word used for `objective`: latency, energy, edp.
std::string_view name_of(Objective objective);

std::span<const Objective> all_objectives();

/// What a search is to try, and what it judges by.
struct SearchSettings {
  Npu base;  ///< everything but the tile sizes; what stays on the chip fits its on_chip_bytes
  Board board;
  Mode mode = Mode::fluid_stacked;
  std::vector<int> batches;       ///< the batch mix, ascending, each counted alike
  std::vector<std::int64_t> t_r;  ///< row tiles to try; `default_row_tiles` where empty
  std::vector<std::int64_t> t_p;  ///< T_P to try; 4 to 96 where empty
  std::vector<std::int64_t> t_c;  ///< T_C to try; where empty, those that use 60 % or more of the DSPs
  int dsps_per_mac = 1;
  Objective objective = Objective::latency;
};

/// One engine that fits the board.
struct Design {
  Npu npu;
  Resources resources;
  std::vector<double> latencies_s;  ///< of the whole network, for each batch of the mix
  double score_s = 0;               ///< mean over the mix of the latency per sample
  std::vector<double> energies_j;   ///< as latencies_s; empty where the objective is latency

  [[nodiscard]] double unloaded_latency_s() const { return latencies_s.front(); }
};

/// What `energies_j`, of the whole network by batch of the mix, come to.
struct EnergyScores {
  double energy_per_sample_j = 0;  ///< mean over the mix
  double edp_js = 0;               ///< mean over the mix of energy per sample times latency per sample
};
/// Preconditions: a value of each for each of `batches`, at least one.
EnergyScores energy_scores(const std::vector<double>& energies_j, const std::vector<double>& latencies_s,
                           const std::vector<int>& batches);

/// Joules that `layers` take together on `npu`, static ones included, for each batch of the mix, under the
/// policies that it chooses. Precondition: it has energies.
std::vector<double> network_energies_j(const std::vector<Layer>& layers, const Npu& npu,
                                       const SearchSettings& settings);

/// The engines that fit, and the best of them.
struct SearchResult {
  /// By the objective, best first; equal ones by T_R, T_P, T_C.
  std::vector<Design> designs;
  /// Indices of the designs that no other beats in both latency at the least batch and throughput at the
  /// largest or, where the objective is not latency, energy per sample; by latency.
  std::vector<std::size_t> pareto;
  /// (layer, batch, policy) candidates looked at, equal layers once.
  std::uint64_t evaluations = 0;
};

/// Row tiles worth trying: every multiple of 8 up to 128 and then sparser ones up to 1,024, with the
/// multiples of 49, which fit feature maps of 7 x 7 times a power of two.
std::vector<std::int64_t> default_row_tiles();

/// Most bytes on the chip that any of `layers` takes at any batch of the mix, under the policies that `npu`
/// of a search with `settings` chooses.
std::int64_t most_on_chip_bytes(const std::vector<Layer>& layers, const Npu& npu,
                                const SearchSettings& settings);

/// Tries every T_P from 4 to 96 and every T_C that is a multiple of k_max, where T_P T_C uses between 60 %
/// and all of the board's DSPs, or those of the settings, with every row tile whose buffers fit. All have the
/// energies of the base. Throws std::invalid_argument where nothing fits or a setting is out of range, and
/// where an objective other than latency finds a base without energies.
SearchResult search_designs(const std::vector<Layer>& layers, const SearchSettings& settings,
                            const Poll& poll = {});

}  // namespace fluidbatch::npu
