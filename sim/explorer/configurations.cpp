#include "sim/explorer/configurations.h"

#include <algorithm>

#include "sim/explorer/page_data.h"

namespace fluidbatch::sim {

std::uint32_t Configurations::code_of(std::string_view line) {
  const auto found = codes_.find(line);
  if (found != codes_.end()) return found->second;
  const auto code = static_cast<std::uint32_t>(lines_.size());
  codes_.emplace(line, code);
  lines_.emplace_back(line);
  return code;
}

void Configurations::add(std::string_view kind, std::string_view text) {
  if (text.empty()) {
    points_.emplace_back("[]");
    return;
  }
  std::vector<std::uint32_t> codes;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    codes.push_back(code_of(text.substr(begin, end - begin)));
    begin = end + 1;
  }
  const auto [place, is_new] = places_.try_emplace({std::string(kind), codes.size()}, bases_.size());
  if (is_new) bases_.push_back(codes);
  const std::vector<std::uint32_t>& base = bases_[place->second];
  std::string point = '[' + std::to_string(place->second);
  for (std::size_t i = 0; i < codes.size(); ++i) {
    if (codes[i] != base[i]) point += ',' + std::to_string(i) + ',' + std::to_string(codes[i]);
  }
  points_.push_back(point + ']');
}

void Configurations::add_again(std::size_t point) { points_.push_back(points_[point]); }

std::string Configurations::json() const {
  std::string json = R"({"lines":[)";
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    if (i > 0) json += ',';
    append_json_text(json, lines_[i]);
  }
  json += R"(],"bases":[)";
  for (std::size_t i = 0; i < bases_.size(); ++i) {
    json += i > 0 ? ",[" : "[";
    for (std::size_t k = 0; k < bases_[i].size(); ++k) {
      if (k > 0) json += ',';
      json += std::to_string(bases_[i][k]);
    }
    json += ']';
  }
  json += R"(],"points":[)";
  for (std::size_t i = 0; i < points_.size(); ++i) {
    if (i > 0) json += ',';
    json += points_[i];
  }
  return json + "]}";
}

}  // namespace fluidbatch::sim
