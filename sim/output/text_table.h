// Columns of text for a terminal.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace fluidbatch::sim {

/// Rows of cells under a header; the first column is set left, the others right.
class TextTable {
 public:
  explicit TextTable(std::vector<std::string> header) : rows_{std::move(header)} {}

  /// Adds a row, with a cell for each column.
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  /// The table, each row with its line end, no blanks at line ends.
  [[nodiscard]] std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

/// A number for a person: `digits` significant ones; `-` where it is not a number.
std::string rounded(double value, int digits = 4);

/// A count in millions, for a person.
std::string millions(std::int64_t count);

}  // namespace fluidbatch::sim
