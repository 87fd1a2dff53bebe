#include "sim/sweep/axis_range.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <utility>

#include "workloads/io/map_reader.h"
#include "workloads/io/text_number.h"

namespace fluidbatch::sim {
namespace {

constexpr std::int64_t kMostValues = 1'000'000;

/// coefficient * 10^exponent, exactly as a decimal number is written.
struct Decimal {
  std::int64_t coefficient = 0;
  int exponent = 0;
};

/// `text` is one that io::parse_number takes. Nothing where it has too many digits.
std::optional<Decimal> parse_decimal(const std::string& text) {
  const std::size_t e = std::min(text.find_first_of("eE"), text.size());
  std::string digits = text.substr(0, e);
  Decimal decimal;
  if (e < text.size()) {
    const std::size_t sign = text[e + 1] == '+' ? 1 : 0;
    const auto exponent = io::parse_integer(text.substr(e + 1 + sign));
    if (!exponent || std::abs(*exponent) > 400) return std::nullopt;
    decimal.exponent = static_cast<int>(*exponent);
  }
  if (digits.starts_with('+')) digits.erase(0, 1);
  if (const std::size_t point = digits.find('.'); point != std::string::npos) {
    decimal.exponent -= static_cast<int>(digits.size() - point - 1);
    digits.erase(point, 1);
  }
  const auto coefficient = io::parse_integer(digits);
  if (!coefficient) return std::nullopt;
  decimal.coefficient = *coefficient;
  return decimal;
}

/// The coefficient of the same number with a lower exponent; nothing where it leaves the 64 bits.
std::optional<std::int64_t> with_exponent(Decimal decimal, int exponent) {
  if (decimal.coefficient == 0) return 0;
  for (; decimal.exponent > exponent; --decimal.exponent) {
    if (__builtin_mul_overflow(decimal.coefficient, std::int64_t{10}, &decimal.coefficient)) return {};
  }
  return decimal.coefficient;
}

io::Node decimal_node(std::int64_t coefficient, int exponent) {
  while (exponent < 0 && coefficient % 10 == 0) {
    coefficient /= 10;
    ++exponent;
  }
  if (exponent == 0) return io::Node::integer(coefficient);
  const std::string text = std::to_string(coefficient) + "e" + std::to_string(exponent);
  return io::Node::number(io::parse_number(text).value());
}

}  // namespace

std::vector<io::Node> range_values(const io::Node& range, const std::string& what) {
  io::MapReader reader(range, what, {"from", "to", "step"});
  const double least = reader.number("from", {});
  reader.number("to", {.min = least});
  reader.number("step", io::Range::positive());
  std::vector<Decimal> parts;
  int exponent = 0;
  for (const char* key : {"from", "to", "step"}) {
    const auto decimal = parse_decimal(reader.required(key).scalar);
    if (!decimal) throw io::InputError(reader.mark_of(key), std::string(key) + " has too many digits");
    exponent = std::min(exponent, decimal->exponent);
    parts.push_back(*decimal);
  }
  const auto from = with_exponent(parts[0], exponent);
  const auto to = with_exponent(parts[1], exponent);
  const auto step = with_exponent(parts[2], exponent);
  std::int64_t width = 0;
  if (!from || !to || !step || __builtin_sub_overflow(*to, *from, &width)) {
    throw io::InputError(range.mark, what + ": from, to and step together have more than 18 digits");
  }
  if (width / *step >= kMostValues) {
    throw io::InputError(reader.mark_of("step"),
                         what + " has more than " + std::to_string(kMostValues) + " values");
  }
  std::vector<io::Node> values;
  for (std::int64_t i = 0; i <= width / *step; ++i) {
    values.push_back(decimal_node(*from + i * *step, exponent));
    values.back().mark = range.mark;
  }
  return values;
}

}  // namespace fluidbatch::sim
