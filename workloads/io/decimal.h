// Decimal numbers as they are written, for what a double can't hold: dates since 1970 in nanoseconds, say.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace fluidbatch::io {

/// A whole number times a power of ten. Exact to 36 significant digits; those beyond are cut off.
class Decimal {
 public:
  Decimal() = default;
  Decimal(std::int64_t units, int exponent) : units_(units), exponent_(exponent) {}

  /// A number that takes up the whole text: a sign, digits, point and exponent as usual. Nothing otherwise,
  /// also where the exponent is beyond a double's.
  static std::optional<Decimal> parse(std::string_view text);

  [[nodiscard]] bool is_negative() const { return units_ < 0; }
  /// Times ten to the power of `power`.
  [[nodiscard]] Decimal shifted(int power) const;
  /// This one less the other.
  [[nodiscard]] Decimal minus(Decimal other) const;
  /// The nearest double.
  [[nodiscard]] double to_double() const;

 private:
  __extension__ using Int128 = __int128;

  Decimal(Int128 units, int exponent, bool /*wide*/) : units_(units), exponent_(exponent) {}

  static constexpr int kMostDigits = 36;

  Int128 units_ = 0;
  int exponent_ = 0;
};

}  // namespace fluidbatch::io
