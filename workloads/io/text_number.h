// Numbers as text, both ways, the same on every machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fluidbatch::io {

/// The shortest decimal text that reads back to the same double; `inf`, `-inf`, `nan` for those.
std::string shortest(double value);

/// Appends what `shortest` gives, without a temporary.
void append_shortest(std::string& text, double value);

/// The most characters that `write_shortest` writes.
inline constexpr std::size_t kMostCharacters = 24;

/// Writes what `shortest` gives from `to` on, where there is room for kMostCharacters; the end of it.
char* write_shortest(char* to, double value);

/// A decimal number that takes up the whole text (a sign, digits, point and exponent as usual), or YAML's
/// `.inf` and `.nan`. Nothing otherwise, also where the value is beyond the range of a double.
std::optional<double> parse_number(std::string_view text);

/// A whole number in decimal digits that takes up the whole text.
std::optional<std::int64_t> parse_integer(std::string_view text);

}  // namespace fluidbatch::io
