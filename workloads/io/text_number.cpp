#include "workloads/io/text_number.h"

#include <array>
#include <charconv>
#include <limits>

namespace fluidbatch::io {
namespace {

template <typename T>
std::optional<T> parse_whole(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

void append_shortest(std::string& text, double value) {
  std::array<char, kMostCharacters> buffer{};
  text.append(buffer.data(), write_shortest(buffer.data(), value));
}

char* write_shortest(char* to, double value) { return std::to_chars(to, to + kMostCharacters, value).ptr; }

std::string shortest(double value) {
  std::string text;
  append_shortest(text, value);
  return text;
}

std::optional<double> parse_number(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  std::optional<double> value;
  if (text == ".inf" || text == ".Inf" || text == ".INF") {
    value = std::numeric_limits<double>::infinity();
  } else if (text == ".nan" || text == ".NaN" || text == ".NAN") {
    value = std::numeric_limits<double>::quiet_NaN();
  } else if (!text.empty() &&
             (is_digit(text[0]) || (text[0] == '.' && text.size() > 1 && is_digit(text[1])))) {
    value = parse_whole<double>(text);
  }
  if (value && negative) value = -*value;
  return value;
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  return parse_whole<std::int64_t>(text);
}

}  // namespace fluidbatch::io
