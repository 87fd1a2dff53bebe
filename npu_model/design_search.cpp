#include "npu_model/design_search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <tuple>

namespace fluidbatch::npu {
namespace {

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

class Search {
 public:
  Search(const std::vector<Layer>& layers, const SearchSettings& settings, const Poll& poll)
      : settings_(settings), poll_(poll), layers_(distinct(layers, settings.base.input_path)) {
    if (settings.batches.empty() || settings.batches.front() < 1 ||
        !std::is_sorted(settings.batches.begin(), settings.batches.end())) {
      throw std::invalid_argument("batches must be ascending, from 1");
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
    std::sort(result_.designs.begin(), result_.designs.end(), [](const Design& a, const Design& b) {
      return std::tuple(a.score_s, a.npu.t_r, a.npu.t_p, a.npu.t_c) <
             std::tuple(b.score_s, b.npu.t_r, b.npu.t_p, b.npu.t_c);
    });
    find_pareto();
    return std::move(result_);
  }

 private:
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
      design.latencies_s.push_back(network_cycles(design.npu, i) / design.npu.clock_hz);
      design.score_s += design.latencies_s.back() / settings_.batches[i];
    }
    if (!std::isfinite(design.score_s)) return;  // there is a layer for which nothing fits
    design.score_s /= static_cast<double>(settings_.batches.size());
    result_.designs.push_back(std::move(design));
  }

  double network_cycles(const Npu& npu, std::size_t batch_index) {
    const int batch = settings_.batches[batch_index];
    const std::vector<BatchPolicy>& policies = candidates_[batch_index];
    double cycles = 0;
    for (const CountedLayer& counted : layers_) {
      if (poll_) poll_();
      const Choice choice = choose(settings_.mode, policies, counted.layer, npu, batch);
      cycles += counted.count * choice.latency_cycles;
      result_.evaluations += policies.size();
    }
    return cycles;
  }

  void find_pareto() {
    std::vector<std::size_t> by_latency(result_.designs.size());
    std::iota(by_latency.begin(), by_latency.end(), std::size_t{0});
    const auto& designs = result_.designs;
    std::stable_sort(by_latency.begin(), by_latency.end(), [&](std::size_t a, std::size_t b) {
      return std::tuple(designs[a].latencies_s.front(), designs[a].latencies_s.back()) <
             std::tuple(designs[b].latencies_s.front(), designs[b].latencies_s.back());
    });
    double least_at_largest = std::numeric_limits<double>::infinity();
    for (const std::size_t i : by_latency) {
      if (designs[i].latencies_s.back() >= least_at_largest) continue;
      least_at_largest = designs[i].latencies_s.back();
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

SearchResult search_designs(const std::vector<Layer>& layers, const SearchSettings& settings,
                            const Poll& poll) {
  return Search(layers, settings, poll).run();
}

}  // namespace fluidbatch::npu
