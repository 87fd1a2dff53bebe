// A broken invariant: a bug of this program or of a policy, never of its input.
#pragma once

#include <stdexcept>
#include <string>

namespace fluidbatch::sim {

/// Ends a run with exit code 3: a bug.
class InvariantViolation : public std::logic_error {
 public:
  explicit InvariantViolation(const std::string& what) : std::logic_error("broken invariant: " + what) {}
};

inline void require_invariant(bool holds, const char* what) {
  if (!holds) throw InvariantViolation(what);
}

}  // namespace fluidbatch::sim
