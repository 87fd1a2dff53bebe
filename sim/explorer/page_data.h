// What a page tells its scripts: texts and columns that stand in HTML without being taken for it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fluidbatch::sim {

/// Appends a JSON string. It can stand in an HTML script: no `<`, `>` or `&`, no line separators of
/// JavaScript; bytes that are not UTF-8 become U+FFFD.
void append_json_text(std::string& json, std::string_view text);

/// Appends a JSON number in the shortest text that reads back; `null` where it is not finite.
void append_json_number(std::string& json, double value);

std::string json_text(std::string_view text);

/// Base 64 of bytes (RFC 4648, with padding).
std::string base64(std::string_view bytes);

/// A column as a JSON object, in the smallest of these forms, which scripts/decode on demand:
/// `{"kind":"constant","value":V}`; `{"kind":"codes","values":[..],"bytes":1,"data":".."}`, base 64 of an
/// index of 1, 2 or 4 bytes into `values` for each row; `{"kind":"numbers","data":".."}`, base 64 of a double
/// of 8 bytes for each row. All little-endian, a missing value is `null` or NaN.
std::string number_column(const std::vector<double>& values);
/// Likewise, by codes: an empty text is one like others.
std::string text_column(const std::vector<std::string>& values);

/// A script element that the page's scripts find by its id.
std::string data_element(std::string_view id, std::string_view json);

}  // namespace fluidbatch::sim
