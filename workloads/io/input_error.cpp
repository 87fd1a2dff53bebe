#include "workloads/io/input_error.h"

#include <algorithm>
#include <numeric>

namespace fluidbatch::io {
namespace {

/// Edit distance where exchanging two neighbours counts once (Damerau, restricted form).
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  std::iota(d[0].begin(), d[0].end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    }
  }
  return d[a.size()][b.size()];
}

/// The first of `known` that begins with `found`, or else has it in it: p99 for p99_latency_s.
const std::string* longer_form(std::string_view found, const std::vector<std::string>& known) {
  constexpr std::size_t kLeastLength = 3;  // less is in anything
  if (found.size() < kLeastLength) return nullptr;
  const std::string* inside = nullptr;
  for (const std::string& word : known) {
    const std::size_t position = word.find(found);
    if (position == 0) return &word;
    if (position != std::string::npos && inside == nullptr) inside = &word;
  }
  return inside;
}

}  // namespace

std::string to_string(const Mark& mark) {
  if (mark.line == 0) return mark.source;
  return mark.source + ":" + std::to_string(mark.line) + ":" + std::to_string(mark.column);
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kMostShown = 80;
  std::size_t end = std::min(text.size(), kMostShown);
  while (end < text.size() && end > 0 && (text[end] & 0xc0) == 0x80) --end;  // not inside a character
  std::string shown = "'";
  for (const char c : text.substr(0, end)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f) {
      shown += c;
    } else {
      constexpr std::string_view kDigits = "0123456789abcdef";
      shown.append("\\x").append({kDigits[byte / 16], kDigits[byte % 16]});
    }
  }
  return shown + (end < text.size() ? "...'" : "'");
}

std::string did_you_mean(std::string_view found, const std::vector<std::string>& known) {
  constexpr std::size_t kLongestWord = 100;  // the table of distances grows as the product of lengths
  if (found.size() > kLongestWord) return "";
  const std::string* nearest = nullptr;
  std::size_t least = std::max<std::size_t>(2, found.size() / 3) + 1;
  for (const std::string& word : known) {
    if (word.size() > kLongestWord) continue;
    const std::size_t distance = edit_distance(found, word);
    if (distance < least && distance < word.size()) {
      least = distance;
      nearest = &word;
    }
  }
  if (nearest == nullptr) nearest = longer_form(found, known);
  return nearest == nullptr ? "" : " (did you mean '" + *nearest + "'?)";
}

std::string quoted_list(const std::vector<std::string>& words) {
  constexpr std::size_t kMostListed = 40;
  std::string text;
  for (std::size_t i = 0; i < std::min(words.size(), kMostListed); ++i) {
    text += (i == 0 ? "" : ", ") + in_quotes(words[i]);
  }
  if (words.size() > kMostListed) text += " and " + std::to_string(words.size() - kMostListed) + " more";
  return text;
}

std::string unknown_word(std::string_view what, std::string_view found,
                         const std::vector<std::string>& allowed) {
  return "unknown " + std::string(what) + " " + in_quotes(found) + did_you_mean(found, allowed) +
         "; allowed: " + quoted_list(allowed);
}

}  // namespace fluidbatch::io
