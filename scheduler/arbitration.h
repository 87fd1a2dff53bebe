// The order in which an arbiter's ranks put those who want the NPU: one definition for all who act by it.
#pragma once

#include <cstddef>
#include <span>

#include "scheduler/arbiter.h"

namespace fluidbatch::scheduler {

/// Index of the one of `heads` that gets the NPU first. Of those whose rank is within kDeadlineTolerance_s of
/// the smallest it is the one that arrived first, and of those the one whose service stands first in the
/// configuration; whoever comes next is the first of the others. The result does not depend on the order of
/// `heads`. Precondition: there is one, and `arbiter` has considered the heads of this date. Throws
/// PolicyError where a rank is not a number.
std::size_t first_in_order(const Arbiter& arbiter, const ArbiterView& view, std::span<const Contender> heads);

/// True where `head` goes before `in_flight` by its rank, and not only by the rules for ties. Throws as
/// first_in_order does.
bool is_strictly_before(const Arbiter& arbiter, const ArbiterView& view, const Contender& head,
                        const Contender& in_flight);

/// True where `head` is strictly before each of `in_flight`. Throws as first_in_order does.
bool is_strictly_before_all(const Arbiter& arbiter, const ArbiterView& view, const Contender& head,
                            std::span<const Contender> in_flight);

}  // namespace fluidbatch::scheduler
