// What must hold of plain values: thrown as std::invalid_argument otherwise.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>

namespace fluidbatch::sim {

inline void require(bool holds, const std::string& message) {
  if (!holds) throw std::invalid_argument(message);
}

/// `objection`: as the functions of checks.h give it.
inline void require_none(const std::optional<std::string>& objection) {
  if (objection) throw std::invalid_argument(*objection);
}

}  // namespace fluidbatch::sim
