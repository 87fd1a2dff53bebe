#include "sim/explorer/page_data.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <functional>
#include <unordered_map>

#include <fmt/format.h>

#include "workloads/io/text_number.h"

namespace fluidbatch::sim {
namespace {

/// Length of the UTF-8 sequence at the front of `text`; 0 where there is none.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  // No overlong forms, no surrogates, nothing beyond U+10FFFF.
  if ((first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) > 0x9f)) return 0;
  if ((first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) > 0x8f)) return 0;
  return length;
}

bool is_line_separator(std::string_view sequence) {
  return sequence == "\xe2\x80\xa8" || sequence == "\xe2\x80\xa9";
}

void append_little_endian(std::string& bytes, std::uint64_t value, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    bytes += static_cast<char>(static_cast<unsigned char>(value >> (8 * i)));
  }
}

/// Codes of values, in the order in which these come.
template <typename Value>
struct Coded {
  std::vector<Value> values;
  std::vector<std::uint32_t> codes;
};

/// Nothing (no values) where there are more than `most` of them.
template <typename Value, typename Key>
Coded<Value> coded(const std::vector<Value>& column, std::size_t most, const Key& key) {
  Coded<Value> result;
  std::unordered_map<std::decay_t<std::invoke_result_t<Key, const Value&>>, std::uint32_t> places;
  result.codes.reserve(column.size());
  for (const Value& value : column) {
    const auto [place, is_new] =
        places.try_emplace(key(value), static_cast<std::uint32_t>(result.values.size()));
    if (is_new) {
      if (result.values.size() == most) return {};
      result.values.push_back(value);
    }
    result.codes.push_back(place->second);
  }
  return result;
}

/// `values`: as JSON, joined by commas.
std::string codes_column(const std::string& values, std::size_t count,
                         const std::vector<std::uint32_t>& codes) {
  constexpr std::size_t kOneByte = 256;
  constexpr std::size_t kTwoBytes = 65536;
  const std::size_t bytes = count <= kOneByte ? 1 : count <= kTwoBytes ? 2 : 4;
  std::string data;
  data.reserve(codes.size() * bytes);
  for (const std::uint32_t code : codes) append_little_endian(data, code, bytes);
  return fmt::format(R"({{"kind":"codes","values":[{}],"bytes":{},"data":"{}"}})", values, bytes,
                     base64(data));
}

}  // namespace

void append_json_text(std::string& json, std::string_view text) {
  json += '"';
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    const char first = text.front();
    if (length == 0) {
      json += "\xef\xbf\xbd";  // the replacement character
    } else if (first == '"' || first == '\\') {
      json += {'\\', first};
    } else if (static_cast<unsigned char>(first) < 0x20 || first == '<' || first == '>' || first == '&' ||
               first == 0x7f) {
      json += fmt::format("\\u{:04x}", static_cast<unsigned>(first));
    } else if (is_line_separator(text.substr(0, length))) {
      json += text[2] == '\xa8' ? "\\u2028" : "\\u2029";
    } else {
      json += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  json += '"';
}

void append_json_number(std::string& json, double value) {
  if (std::isfinite(value)) {
    io::append_shortest(json, value);
  } else {
    json += "null";
  }
}

std::string json_text(std::string_view text) {
  std::string json;
  append_json_text(json, text);
  return json;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8 | (k < count ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      text += k <= count ? kDigits[group >> (18 - 6 * k) & 63] : '=';
    }
  }
  return text;
}

std::string number_column(const std::vector<double>& values) {
  // A value in a list takes some 18 characters, a double in base 64 less than 11.
  const auto found = coded(values, values.size() / 4 + 1, [](double value) {
    return std::bit_cast<std::uint64_t>(std::isfinite(value) ? value : std::nan(""));
  });
  if (found.values.empty() && !values.empty()) {
    std::string data;
    data.reserve(8 * values.size());
    for (const double value : values) {
      append_little_endian(data, std::bit_cast<std::uint64_t>(std::isfinite(value) ? value : std::nan("")),
                           8);
    }
    return fmt::format(R"({{"kind":"numbers","data":"{}"}})", base64(data));
  }
  std::string list;
  for (const double value : found.values) {
    if (!list.empty()) list += ',';
    append_json_number(list, value);
  }
  if (found.values.size() == 1) return fmt::format(R"({{"kind":"constant","value":{}}})", list);
  return codes_column(list, found.values.size(), found.codes);
}

std::string text_column(const std::vector<std::string>& values) {
  const auto found = coded(values, values.size() + 1, [](const std::string& value) { return value; });
  std::string list;
  for (const std::string& value : found.values) {
    if (!list.empty()) list += ',';
    append_json_text(list, value);
  }
  if (found.values.size() == 1) return fmt::format(R"({{"kind":"constant","value":{}}})", list);
  return codes_column(list, found.values.size(), found.codes);
}

std::string data_element(std::string_view id, std::string_view json) {
  return fmt::format("<script type=\"application/json\" id=\"{}\">{}</script>\n", id, json);
}

}  // namespace fluidbatch::sim
