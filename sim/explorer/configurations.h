// The configurations of many points, which differ in a few lines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fluidbatch::sim {

/// Keeps each configuration as the numbers of its lines, and of those that are alike only what is different:
/// 100,000 of them take a few megabytes.
class Configurations {
 public:
  /// Of the next point; an empty text where it has none. Those of one `kind` and of as many lines are taken
  /// to be alike.
  void add(std::string_view kind, std::string_view text);

  /// Of the next point: that of point number `point` again.
  void add_again(std::size_t point);

  /// `{"lines":[..],"bases":[[..],..],"points":[[base,place,line,place,line,..],..]}`: a point has the lines
  /// of its base but those at the places that follow; `[]` for one without a configuration.
  [[nodiscard]] std::string json() const;

 private:
  std::uint32_t code_of(std::string_view line);

  std::map<std::string, std::uint32_t, std::less<>> codes_;
  std::vector<std::string> lines_;
  std::map<std::pair<std::string, std::size_t>, std::size_t>
      places_;  // of bases, by kind and number of lines
  std::vector<std::vector<std::uint32_t>> bases_;
  std::vector<std::string> points_;  // JSON
};

}  // namespace fluidbatch::sim
