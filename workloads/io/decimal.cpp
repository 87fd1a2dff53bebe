#include "workloads/io/decimal.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace fluidbatch::io {
namespace {

constexpr int kLargestExponent = 400;  // beyond any double's, with room for a few dozen digits

/// Powers of ten that a double holds exactly.
constexpr std::array<double, 23> kPowersOfTen{1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                              1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                              1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

std::optional<Decimal> Decimal::parse(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  Decimal value;
  int digits = 0;
  bool any = false;
  bool after_point = false;
  std::size_t i = 0;
  for (; i < text.size() && (is_digit(text[i]) || (text[i] == '.' && !after_point)); ++i) {
    if (text[i] == '.') {
      after_point = true;
      continue;
    }
    any = true;
    const bool kept = digits < kMostDigits;
    if (kept) value.units_ = 10 * value.units_ + (text[i] - '0');
    if (value.units_ > 0) ++digits;
    value.exponent_ += static_cast<int>(!kept) - static_cast<int>(after_point);
  }
  if (!any || text.size() > static_cast<std::size_t>(kLargestExponent)) return std::nullopt;
  if (i < text.size()) {
    int exponent = 0;
    std::string_view rest = text.substr(i);
    if (rest[0] != 'e' && rest[0] != 'E') return std::nullopt;
    rest.remove_prefix(rest.size() > 1 && rest[1] == '+' && rest.size() > 2 && is_digit(rest[2]) ? 2 : 1);
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), exponent);
    if (error != std::errc{} || end != rest.data() + rest.size()) return std::nullopt;
    if (exponent < -kLargestExponent || exponent > kLargestExponent) return std::nullopt;
    value.exponent_ += exponent;
  }
  if (negative) value.units_ = -value.units_;
  return value;
}

Decimal Decimal::shifted(int power) const { return {units_, exponent_ + power, true}; }

Decimal Decimal::minus(Decimal other) const {
  if (other.units_ == 0) return *this;
  if (units_ == 0) return {-other.units_, other.exponent_, true};
  Decimal mine = *this;
  Decimal& coarse = mine.exponent_ > other.exponent_ ? mine : other;
  Decimal& fine = mine.exponent_ > other.exponent_ ? other : mine;
  Int128 most = 1;
  for (int i = 0; i < kMostDigits; ++i) most *= 10;
  for (; coarse.exponent_ > fine.exponent_ && coarse.units_ <= most && coarse.units_ >= -most;
       --coarse.exponent_) {
    coarse.units_ *= 10;
  }
  for (; fine.exponent_ < coarse.exponent_; ++fine.exponent_) fine.units_ /= 10;  // beyond the last digit
  return {mine.units_ - other.units_, mine.exponent_, true};
}

double Decimal::to_double() const {
  constexpr Int128 kExact = Int128{1} << std::numeric_limits<double>::digits;
  const int power = -exponent_;
  const bool both_exact =
      units_ <= kExact && units_ >= -kExact && power >= 0 && power < static_cast<int>(kPowersOfTen.size());
  if (both_exact) return static_cast<double>(units_) / kPowersOfTen[static_cast<std::size_t>(power)];
  // As text, for the reader of decimals, which rounds correctly; int128 has no to_chars of its own.
  constexpr Int128 kHalf = 1'000'000'000'000'000'000;
  const Int128 size = units_ < 0 ? -units_ : units_;
  const auto high = static_cast<std::uint64_t>(size / kHalf);
  const auto low = static_cast<std::uint64_t>(size % kHalf);
  std::array<char, 64> text{};
  char* const end = text.data() + text.size();
  char* digits = std::to_chars(text.data(), end, high).ptr;
  std::array<char, 20> low_text{};
  const char* low_end = std::to_chars(low_text.data(), low_text.data() + low_text.size(), low).ptr;
  constexpr int kLowDigits = 18;
  digits = std::fill_n(digits, kLowDigits - (low_end - low_text.data()), '0');
  digits = std::copy(static_cast<const char*>(low_text.data()), low_end, digits);
  *digits++ = 'e';
  const auto written = std::to_chars(digits, end, exponent_);
  double value = 0;
  const auto result = std::from_chars(text.data(), written.ptr, value);
  if (result.ec == std::errc::result_out_of_range) {
    value = exponent_ > 0 ? std::numeric_limits<double>::infinity() : 0;
  }
  return units_ < 0 ? -value : value;
}

}  // namespace fluidbatch::io
