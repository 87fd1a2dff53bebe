#include "npu_model/design_search.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <tuple>

#include "npu_model/energy.h"

namespace fluidbatch::npu {
namespace {

constexpr std::array kObjectives{Objective::latency, Objective::energy, Objective::edp};

/// A layer, and how many of the network's layers have its work.
struct CountedLayer {
  Layer layer;
  int count = 1;
};

/// im2col does not ask how many of a layer's words are distinct.
std::vector<CountedLayer> distinct(const std::vector<Layer>& layers, InputPath input_path) {
  const bool any_words = input_path == InputPath::im2col;
  std::vector<CountedLayer> counted;
  for (const Layer& layer : layers) {
    const auto same = std::find_if(counted.begin(), counted.end(), [&](const CountedLayer& other) {
      return other.layer.kind == layer.kind && other.layer.gemm == layer.gemm &&
             other.layer.mover_input_words == layer.mover_input_words &&
             other.layer.mover_output_words == layer.mover_output_words &&
             (any_words || (other.layer.unique_input_words() == layer.unique_input_words() &&
                            other.layer.line_words == layer.line_words));
    });
    if (same == counted.end()) {
      counted.push_back({layer, 1});
    } else {
      ++same->count;
    }
  }
  return counted;
}

/// What a whole network takes on an engine for a batch.
struct Totals {
  double latency_s = 0;
  double energy_j = 0;  ///< static energy included; 0 where it is not asked for
};

/// `policies`: what `mode` chooses from for `batch`.
Totals totals_of(const std::vector<CountedLayer>& layers, const Npu& npu, Mode mode, int batch,
                 const std::vector<BatchPolicy>& policies, bool with_energy, const Poll& poll) {
  double cycles = 0;
  double dynamic_j = 0;
  for (const CountedLayer& counted : layers) {
    if (poll) poll();
    const Choice choice = choose(mode, policies, counted.layer, npu, batch);
    cycles += counted.count * choice.latency_cycles;
    if (!with_energy || !std::isfinite(choice.latency_cycles)) continue;
    const LayerCost cost = layer_cost(counted.layer, npu, batch, choice.policy);
    const LayerAccesses accesses = layer_accesses(counted.layer, npu, batch, choice.policy, cost);
    dynamic_j += counted.count * dynamic_energy(accesses, *npu.energy).total_j();
  }
  const double latency_s = cycles / npu.clock_hz;
  return {latency_s, with_energy ? dynamic_j + npu.energy->static_w * latency_s : 0};
}

class Search {
 public:
  Search(const std::vector<Layer>& layers, const SearchSettings& settings, const Poll& poll)
      : settings_(settings), poll_(poll), layers_(distinct(layers, settings.base.input_path)) {
    if (settings.batches.empty() || settings.batches.front() < 1 ||
        !std::is_sorted(settings.batches.begin(), settings.batches.end())) {
      throw std::invalid_argument("batches must be ascending, from 1");
    }
    if (settings.objective != Objective::latency && !settings.base.energy) {
      throw std::invalid_argument("a search by energy needs an engine with energies");
    }
    for (const int batch : settings.batches)
      candidates_.push_back(candidates(settings.mode, settings.base, batch));
  }

  SearchResult run() {
    const std::vector<std::int64_t> row_tiles = settings_.t_r.empty() ? default_row_tiles() : settings_.t_r;
    std::vector<std::int64_t> depths = settings_.t_p;
    if (depths.empty()) {
      depths.resize(93);
      std::iota(depths.begin(), depths.end(), 4);
    }
    for (const std::int64_t t_p : depths) {
      for (const std::int64_t t_c : widths(t_p)) {
        for (const std::int64_t t_r : row_tiles) {
          if (t_r % settings_.base.k_max == 0) consider(t_r, t_p, t_c);
        }
      }
    }
    if (result_.designs.empty()) throw std::invalid_argument("no engine fits the board");
    std::sort(result_.designs.begin(), result_.designs.end(), [this](const Design& a, const Design& b) {
      return std::tuple(score(a), a.npu.t_r, a.npu.t_p, a.npu.t_c) <
             std::tuple(score(b), b.npu.t_r, b.npu.t_p, b.npu.t_c);
    });
    find_pareto();
    return std::move(result_);
  }

 private:
  [[nodiscard]] bool by_energy() const { return settings_.objective != Objective::latency; }

  [[nodiscard]] double score(const Design& design) const {
    if (!by_energy()) return design.score_s;
    const EnergyScores scores = energy_scores(design.energies_j, design.latencies_s, settings_.batches);
    return settings_.objective == Objective::energy ? scores.energy_per_sample_j : scores.edp_js;
  }

  /// T_C to try beside `t_p`: those that the DSPs allow.
  [[nodiscard]] std::vector<std::int64_t> widths(std::int64_t t_p) const {
    const std::int64_t macs = settings_.board.dsps / settings_.dsps_per_mac;
    const std::int64_t k_max = settings_.base.k_max;
    std::vector<std::int64_t> all;
    for (const std::int64_t t_c : settings_.t_c) {
      if (t_c % k_max == 0 && t_p * t_c <= macs) all.push_back(t_c);
    }
    if (!settings_.t_c.empty()) return all;
    for (std::int64_t t_c = k_max; t_p * t_c <= macs; t_c += k_max) {
      if (t_p * t_c * 10 >= macs * 6) all.push_back(t_c);
    }
    return all;
  }

  void consider(std::int64_t t_r, std::int64_t t_p, std::int64_t t_c) {
    if (poll_) poll_();
    Design design;
    design.npu = settings_.base;
    design.npu.t_r = t_r;
    design.npu.t_p = t_p;
    design.npu.t_c = t_c;
    design.resources = resources_of(design.npu, settings_.dsps_per_mac);
    const std::int64_t own = design.npu.on_chip_bytes;
    const std::int64_t most =
        own > 0 ? std::min(own, settings_.board.on_chip_bytes) : settings_.board.on_chip_bytes;
    if (design.resources.on_chip_bytes > most) return;
    validate(design.npu);
    for (std::size_t i = 0; i < settings_.batches.size(); ++i) {
      const Totals totals = totals_of(layers_, design.npu, settings_.mode, settings_.batches[i],
                                      candidates_[i], by_energy(), poll_);
      result_.evaluations += layers_.size() * candidates_[i].size();
      design.latencies_s.push_back(totals.latency_s);
      if (by_energy()) design.energies_j.push_back(totals.energy_j);
      design.score_s += design.latencies_s.back() / settings_.batches[i];
    }
    if (!std::isfinite(design.score_s)) return;  // there is a layer for which nothing fits
    design.score_s /= static_cast<double>(settings_.batches.size());
    result_.designs.push_back(std::move(design));
  }

  void find_pareto() {
    std::vector<std::size_t> by_latency(result_.designs.size());
    std::iota(by_latency.begin(), by_latency.end(), std::size_t{0});
    const auto& designs = result_.designs;
    const auto other = [&](std::size_t i) {
      const Design& design = designs[i];
      if (!by_energy()) return design.latencies_s.back();
      return energy_scores(design.energies_j, design.latencies_s, settings_.batches).energy_per_sample_j;
    };
    std::stable_sort(by_latency.begin(), by_latency.end(), [&](std::size_t a, std::size_t b) {
      return std::tuple(designs[a].latencies_s.front(), other(a)) <
             std::tuple(designs[b].latencies_s.front(), other(b));
    });
    double least = std::numeric_limits<double>::infinity();
    for (const std::size_t i : by_latency) {
      if (other(i) >= least) continue;
      least = other(i);
      result_.pareto.push_back(i);
    }
  }

  const SearchSettings& settings_;
  const Poll& poll_;
  std::vector<CountedLayer> layers_;
  std::vector<std::vector<BatchPolicy>> candidates_;  // by batch of the mix
  SearchResult result_;
};

}  // namespace

std::string_view name_of(Objective objective) {
  switch (objective) {
    case Objective::latency:
      return "latency";
    case Objective::energy:
      return "energy";
    case Objective::edp:
      return "edp";
  }
  return "?";
}

std::span<const Objective> all_objectives() { return kObjectives; }

EnergyScores energy_scores(const std::vector<double>& energies_j, const std::vector<double>& latencies_s,
                           const std::vector<int>& batches) {
  EnergyScores scores;
  for (std::size_t i = 0; i < batches.size(); ++i) {
    scores.energy_per_sample_j += energies_j[i] / batches[i];
    scores.edp_js += energies_j[i] / batches[i] * (latencies_s[i] / batches[i]);
  }
  scores.energy_per_sample_j /= static_cast<double>(batches.size());
  scores.edp_js /= static_cast<double>(batches.size());
  return scores;
}

std::vector<std::int64_t> default_row_tiles() {
  std::vector<std::int64_t> tiles;
  for (std::int64_t t = 8; t <= 1024; t += t < 128 ? 8 : t < 256 ? 16 : t < 512 ? 32 : 64) tiles.push_back(t);
  for (const std::int64_t t : {49, 98, 196, 392, 784}) tiles.push_back(t);
  std::sort(tiles.begin(), tiles.end());
  tiles.erase(std::unique(tiles.begin(), tiles.end()), tiles.end());
  return tiles;
}

std::int64_t most_on_chip_bytes(const std::vector<Layer>& layers, const Npu& npu,
                                const SearchSettings& settings) {
  std::int64_t most = npu.tile_buffer_bytes();
  for (const int batch : settings.batches) {
    const std::vector<BatchPolicy> policies = candidates(settings.mode, npu, batch);
    for (const Layer& layer : layers) {
      const Choice choice = choose(settings.mode, policies, layer, npu, batch);
      most = std::max(most, layer_cost(layer, npu, batch, choice.policy).on_chip_bytes);
    }
  }
  return most;
}

std::vector<double> network_energies_j(const std::vector<Layer>& layers, const Npu& npu,
                                       const SearchSettings& settings) {
  const std::vector<CountedLayer> counted = distinct(layers, npu.input_path);
  std::vector<double> energies_j;
  for (const int batch : settings.batches) {
    const std::vector<BatchPolicy> policies = candidates(settings.mode, npu, batch);
    energies_j.push_back(totals_of(counted, npu, settings.mode, batch, policies, true, {}).energy_j);
  }
  return energies_j;
}

SearchResult search_designs(const std::vector<Layer>& layers, const SearchSettings& settings,
                            const Poll& poll) {
  return Search(layers, settings, poll).run();
}

}  // namespace fluidbatch::npu
