// Ranges of numbers: what a value may be, whether it comes from a file or from a program.
#pragma once

#include <limits>
#include <string>
#include <string_view>

namespace fluidbatch::io {

/// Allowed values of a number. Infinite values need an infinite `max`; NaN is never allowed.
struct Range {
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  bool above_min = false;  ///< min itself is not allowed
  bool finite = true;      ///< infinity is not allowed either

  static constexpr Range positive() { return {.min = 0, .above_min = true}; }
  static constexpr Range positive_or_infinite() { return {.min = 0, .above_min = true, .finite = false}; }
  static constexpr Range non_negative() { return {.min = 0}; }
  static constexpr Range non_negative_or_infinite() { return {.min = 0, .finite = false}; }
  static constexpr Range probability() { return {.min = 0, .max = 1}; }

  /// Of a range in milliseconds, the one in seconds: a little wider, since rounding may have moved a limit.
  [[nodiscard]] constexpr Range ms_to_s() const {
    constexpr double kRounding = 1e-12;
    return {.min = min / 1000 * (1 - kRounding),
            .max = max / 1000 * (1 + kRounding),
            .above_min = above_min,
            .finite = finite};
  }

  /// Whether it is allowed.
  [[nodiscard]] bool contains(double value) const;
  /// What is allowed, for a message.
  [[nodiscard]] std::string text() const;
};

/// `value`, which a message calls `what`. Throws std::invalid_argument where it is not in `range`.
double require_in(const Range& range, double value, std::string_view what);

}  // namespace fluidbatch::io
