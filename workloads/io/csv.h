// CSV with a header, read strictly: every row has the header's number of cells.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "workloads/io/input_error.h"

namespace fluidbatch::io {

/// The rows of one file, one after another. Cells may be in double quotes (a quote in them is doubled),
/// but not span lines; CRLF line ends, a byte order mark and empty lines are passed over.
class CsvReader {
 public:
  /// Throws InputError where the file can't be read or has no header.
  explicit CsvReader(const std::filesystem::path& file);
  CsvReader(const CsvReader&) = delete;
  CsvReader& operator=(const CsvReader&) = delete;
  ~CsvReader() = default;

  [[nodiscard]] const std::string& source() const { return source_; }
  [[nodiscard]] const std::vector<std::string>& header() const { return header_; }
  /// Index of the column called `name`, or nothing.
  [[nodiscard]] std::optional<std::size_t> column(std::string_view name) const;
  /// As `column`; InputError with what there is otherwise.
  [[nodiscard]] std::size_t required_column(const std::string& name) const;

  /// Goes to the next row; false at the end. Throws InputError on a broken one.
  bool next();
  /// A cell of the row; InputError where it is empty. The view is good until the next row.
  [[nodiscard]] std::string_view cell(std::size_t column) const;
  /// Whether a cell of the row is empty.
  [[nodiscard]] bool is_gap(std::size_t column) const { return cells_[column].text.empty(); }
  /// The place of a cell of the row, for messages.
  [[nodiscard]] Mark mark(std::size_t column) const;

  /// A cell of the row as a number; InputError where it is none.
  [[nodiscard]] double number(std::size_t column) const;
  /// A cell of the row as a whole number from `min` to `max`; InputError where it is none.
  [[nodiscard]] std::int64_t integer(std::size_t column, std::int64_t min, std::int64_t max) const;

 private:
  struct Cell {
    std::string_view text;
    int column = 1;
  };

  bool next_line(std::string_view& line);
  void split(std::string_view line);
  std::string_view without_doubled_quotes(std::string_view text);

  std::string source_;
  std::string content_;
  std::size_t position_ = 0;
  int line_ = 0;
  std::vector<std::string> header_;
  std::unordered_map<std::string_view, std::size_t> columns_;  // by name, in header_
  std::vector<Cell> cells_;
  std::deque<std::string> unquoted_;  // cells of the row that differ from the file's text
};

/// `text` as a cell: in quotes by RFC 4180 where it has a comma, a quote or a line break, and where a
/// spreadsheet would take it for a formula (`=`, `+`, `-` or `@` in front) though it is no number.
std::string csv_cell(std::string_view text);

/// The shortest text that reads back; nothing where there is no value (NaN).
std::string csv_number(double value);

}  // namespace fluidbatch::io
