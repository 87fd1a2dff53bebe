#include "scheduler/arbitration.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "scheduler/policy_error.h"

namespace fluidbatch::scheduler {
namespace {

double rank_of(const Arbiter& arbiter, const ArbiterView& view, const Contender& contender) {
  const double rank = arbiter.rank(view, contender);
  if (std::isnan(rank)) {
    throw PolicyError("the arbiter's rank of service " + std::to_string(contender.service) +
                      " is not a number");
  }
  return rank;
}

/// Infinite ranks tie with each other: a sum, since their difference is not a number.
bool is_above(double rank, double least) { return rank > least + kDeadlineTolerance_s; }

bool wins_tie(const Contender& a, const Contender& b) {
  return a.arrival_s != b.arrival_s ? a.arrival_s < b.arrival_s : a.service < b.service;
}

}  // namespace

std::size_t first_in_order(const Arbiter& arbiter, const ArbiterView& view,
                           std::span<const Contender> heads) {
  if (heads.size() == 1) return 0;
  std::size_t first = 0;
  double least = rank_of(arbiter, view, heads[0]);
  double second = std::numeric_limits<double>::infinity();
  for (std::size_t i = 1; i < heads.size(); ++i) {
    const double rank = rank_of(arbiter, view, heads[i]);
    second = std::min(second, std::max(rank, least));
    if (rank >= least) continue;
    least = rank;
    first = i;
  }
  if (is_above(second, least)) return first;
  for (std::size_t i = 0; i < heads.size(); ++i) {
    if (!is_above(rank_of(arbiter, view, heads[i]), least) && wins_tie(heads[i], heads[first])) first = i;
  }
  return first;
}

bool is_strictly_before(const Arbiter& arbiter, const ArbiterView& view, const Contender& head,
                        const Contender& in_flight) {
  return is_above(rank_of(arbiter, view, in_flight), rank_of(arbiter, view, head));
}

bool is_strictly_before_all(const Arbiter& arbiter, const ArbiterView& view, const Contender& head,
                            std::span<const Contender> in_flight) {
  const double rank = rank_of(arbiter, view, head);
  return std::ranges::all_of(in_flight, [&](const Contender& contender) {
    return is_above(rank_of(arbiter, view, contender), rank);
  });
}

}  // namespace fluidbatch::scheduler
