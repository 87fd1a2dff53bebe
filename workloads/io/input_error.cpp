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

std::string did_you_mean(std::string_view found, const std::vector<std::string>& known) {
  const std::string* nearest = nullptr;
  std::size_t least = std::max<std::size_t>(2, found.size() / 3) + 1;
  for (const std::string& word : known) {
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
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "'" : ", '") + word + "'";
  return text;
}

}  // namespace fluidbatch::io
