#include "npu_model/batch_policies.h"

#include <array>
#include <limits>

namespace fluidbatch::npu {
namespace {

constexpr std::array kModes{Mode::r, Mode::p, Mode::fluid, Mode::r_stacked, Mode::fluid_stacked};

// Residencies of one layout sum up the same words in other orders: latencies as close as this are equal.
constexpr double kTie = 1e-12;

bool is_stacked(Mode mode) { return mode == Mode::r_stacked || mode == Mode::fluid_stacked; }
bool has_blocks(Mode mode) { return mode != Mode::r && mode != Mode::r_stacked; }

}  // namespace

std::string_view name_of(Mode mode) {
  switch (mode) {
    case Mode::r:
      return "r";
    case Mode::p:
      return "p";
    case Mode::fluid:
      return "fluid";
    case Mode::r_stacked:
      return "r_stacked";
    case Mode::fluid_stacked:
      return "fluid_stacked";
  }
  return "?";
}

std::span<const Mode> all_modes() { return kModes; }

std::vector<BatchPolicy> candidates(Mode mode, const Npu& npu, int batch) {
  const std::span<const Residency> residencies =
      npu.residency ? std::span<const Residency>(&*npu.residency, 1) : all_residencies();
  std::vector<BatchPolicy> policies;
  for (int k = 1; k <= (is_stacked(mode) ? npu.k_max : 1); k *= 2) {
    for (int b_p = 1; b_p <= (has_blocks(mode) ? batch : 1); ++b_p) {
      for (const Residency residency : residencies) {
        const BatchPolicy policy = blocks_of(batch, b_p, k, residency);
        if (covers(policy, batch)) policies.push_back(policy);
      }
    }
  }
  return policies;
}

Choice choose(Mode mode, std::span<const BatchPolicy> candidates, const Layer& layer, const Npu& npu,
              int batch) {
  if (is_mover(layer.kind)) candidates = candidates.first(1);  // they use no PE: one layout is like another
  constexpr double kNever = std::numeric_limits<double>::infinity();
  Choice best{candidates.front(), kNever};
  for (const BatchPolicy& policy : candidates) {
    const double cycles = feasible_latency_cycles(layer, npu, batch, policy);
    const bool more_blocks = mode == Mode::p && policy.b_p > best.policy.b_p && cycles < kNever;
    const bool same_layout = policy.k == best.policy.k && policy.b_p == best.policy.b_p;
    const double bar = same_layout ? best.latency_cycles * (1 - kTie) : best.latency_cycles;
    const bool better = more_blocks || cycles < bar;
    if (better) best = {policy, cycles};
  }
  return best;
}

}  // namespace fluidbatch::npu
