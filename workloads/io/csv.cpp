#include "workloads/io/csv.h"

#include <algorithm>
#include <cmath>

#include "workloads/io/input_file.h"
#include "workloads/io/text_number.h"

namespace fluidbatch::io {
namespace {

constexpr std::size_t kMostColumns = 1'000'000;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Where a quoted cell that begins at `begin` ends: at the first quote that is not doubled.
std::size_t closing_quote(std::string_view line, std::size_t begin) {
  std::size_t quote = line.find('"', begin);
  while (quote != std::string_view::npos && quote + 1 < line.size() && line[quote + 1] == '"') {
    quote = line.find('"', quote + 2);
  }
  return quote;
}

}  // namespace

CsvReader::CsvReader(const std::filesystem::path& file) : source_(file.string()) {
  content_ = read_file(file);
  if (content_.starts_with(kByteOrderMark)) position_ = kByteOrderMark.size();

  std::string_view line;
  if (!next_line(line)) throw InputError({source_, 1, 1}, "the file is empty; a header line is needed");
  split(line);
  header_.reserve(cells_.size());  // columns_ refers to its strings
  for (const Cell& cell : cells_) {
    header_.emplace_back(cell.text);
    if (!columns_.emplace(header_.back(), header_.size() - 1).second) {
      throw InputError({source_, line_, cell.column}, "column " + in_quotes(cell.text) + " appears twice");
    }
  }
}

std::optional<std::size_t> CsvReader::column(std::string_view name) const {
  const auto found = columns_.find(name);
  if (found == columns_.end()) return std::nullopt;
  return found->second;
}

std::size_t CsvReader::required_column(const std::string& name) const {
  const std::optional<std::size_t> found = column(name);
  if (!found) {
    throw InputError({source_, 1, 1}, "no column " + in_quotes(name) + did_you_mean(name, header_) +
                                          "; the header has " + quoted_list(header_));
  }
  return *found;
}

bool CsvReader::next_line(std::string_view& line) {
  while (position_ < content_.size()) {
    const std::size_t end = std::min(content_.find('\n', position_), content_.size());
    line = std::string_view(content_).substr(position_, end - position_);
    position_ = end + 1;
    ++line_;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!trimmed(line).empty()) return true;
  }
  return false;
}

/// A quote in a quoted cell is written twice; such a cell can't be a view of the file.
std::string_view CsvReader::without_doubled_quotes(std::string_view text) {
  if (text.find('"') == std::string_view::npos) return text;
  std::string& cell = unquoted_.emplace_back();
  for (std::size_t i = 0; i < text.size(); ++i) {
    cell += text[i];
    if (text[i] == '"') ++i;
  }
  return cell;
}

void CsvReader::split(std::string_view line) {
  cells_.clear();
  unquoted_.clear();
  std::size_t begin = 0;
  while (begin <= line.size()) {
    const int column = static_cast<int>(begin) + 1;
    if (cells_.size() == kMostColumns) {
      throw InputError({source_, line_, column},
                       "a row of more than " + std::to_string(kMostColumns) + " cells");
    }
    std::size_t end = 0;
    if (begin < line.size() && line[begin] == '"') {
      const std::size_t close = closing_quote(line, begin + 1);
      end = close == std::string_view::npos ? close : close + 1;
      if (close == std::string_view::npos || (end < line.size() && line[end] != ',')) {
        throw InputError(
            {source_, line_, column},
            "a quoted cell must end with a quote and a comma, on the same line; a quote in it is doubled");
      }
      cells_.push_back({without_doubled_quotes(line.substr(begin + 1, close - begin - 1)), column + 1});
    } else {
      end = std::min(line.find(',', begin), line.size());
      cells_.push_back({trimmed(line.substr(begin, end - begin)), column});
    }
    begin = end + 1;
  }
}

bool CsvReader::next() {
  std::string_view line;
  if (!next_line(line)) return false;
  split(line);
  if (cells_.size() != header_.size()) {
    throw InputError({source_, line_, 1}, "the row has " + std::to_string(cells_.size()) +
                                              " cells, the header has " + std::to_string(header_.size()));
  }
  return true;
}

Mark CsvReader::mark(std::size_t column) const { return {source_, line_, cells_[column].column}; }

std::string_view CsvReader::cell(std::size_t column) const {
  const std::string_view text = cells_[column].text;
  if (text.empty()) throw InputError(mark(column), "column " + in_quotes(header_[column]) + " has a gap");
  return text;
}

double CsvReader::number(std::size_t column) const {
  const std::optional<double> value = parse_number(cell(column));
  if (!value || !std::isfinite(*value)) {
    throw InputError(mark(column),
                     header_[column] + " must be a finite number, found " + in_quotes(cell(column)));
  }
  return *value;
}

std::int64_t CsvReader::integer(std::size_t column, std::int64_t min, std::int64_t max) const {
  const std::optional<std::int64_t> value = parse_integer(cell(column));
  if (!value || *value < min || *value > max) {
    throw InputError(mark(column), header_[column] + " must be a whole number from " + std::to_string(min) +
                                       " to " + std::to_string(max) + ", found " + in_quotes(cell(column)));
  }
  return *value;
}

std::string csv_cell(std::string_view text) {
  const bool formula = text.find_first_of("=+-@") == 0 && !parse_number(text);
  if (!formula && text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string cell = "\"";
  for (const char c : text) {
    if (c == '"') cell += c;
    cell += c;
  }
  return cell + '"';
}

std::string csv_number(double value) { return std::isnan(value) ? std::string() : shortest(value); }

}  // namespace fluidbatch::io
