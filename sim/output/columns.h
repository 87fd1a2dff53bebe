// The columns of a table, each declared once: the header of the file, its rows and its documentation are made
// from these declarations.
#pragma once

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "workloads/io/text_number.h"

namespace fluidbatch::sim {

/// What the cells of a column are.
enum class ColumnType {
  whole,   ///< whole numbers
  number,  ///< doubles, in the shortest text that reads back
  flag,    ///< 1 or 0
  text,    ///< a name; written by hand, since cells are numbers
};

/// Of a column, all but its values.
struct ColumnDeclaration {
  const char* name = "";  ///< as in the header; a unit is its ending
  const char* unit = "";  ///< empty where there is none
  ColumnType type = ColumnType::number;
  const char* meaning = "";
};

/// A column of a table that has a row for each `Row`.
template <typename Row>
struct Column {
  ColumnDeclaration declaration;
  double (*value)(const Row&) = nullptr;  ///< NaN: the cell is empty. Whole numbers are below 2^53.
};

/// All of `columns` but the last `kCount`, which not every table has.
template <std::size_t kCount, typename Row, std::size_t kAll>
constexpr std::array<Column<Row>, kAll - kCount> without_last(const std::array<Column<Row>, kAll>& columns) {
  std::array<Column<Row>, kAll - kCount> kept{};
  for (std::size_t i = 0; i < kept.size(); ++i) kept[i] = columns[i];
  return kept;
}

/// The name of a type, as documentation has it.
const char* name_of(ColumnType type);

/// Of the columns in an array of Column, in their order.
template <typename Columns>
std::vector<ColumnDeclaration> declarations_of(const Columns& columns) {
  std::vector<ColumnDeclaration> declarations;
  declarations.reserve(std::size(columns));
  for (const auto& column : columns) declarations.push_back(column.declaration);
  return declarations;
}

/// The names in a line, with its line end.
template <typename Columns>
std::string csv_header_of(const Columns& columns) {
  std::string line;
  for (const auto& column : columns) line += std::string(column.declaration.name) + ",";
  line.back() = '\n';
  return line;
}

/// Writes a cell from `to` on, where there is room for io::kMostCharacters; its end.
template <ColumnType kType>
char* write_cell(char* to, double value) {
  if (std::isnan(value)) return to;
  if constexpr (kType == ColumnType::number) return io::write_shortest(to, value);
  return std::to_chars(to, to + io::kMostCharacters, static_cast<std::int64_t>(value)).ptr;
}

/// Appends the line of `row`. `kColumns` is a constant array of Column<Row>: each cell is code of its own, so
/// that a row costs no more than if it were written by hand.
template <const auto& kColumns, typename Row>
void append_csv_row(std::string& text, const Row& row) {
  constexpr std::size_t kCount = std::size(kColumns);
  std::array<char, kCount*(io::kMostCharacters + 1)> line;  // NOLINT(*-member-init): filled below
  char* end = line.data();
  const auto add = [&]<std::size_t kIndex>() {
    end = write_cell<kColumns[kIndex].declaration.type>(end, kColumns[kIndex].value(row));
    *end++ = kIndex + 1 < kCount ? ',' : '\n';
  };
  [&]<std::size_t... kIndex>(std::index_sequence<kIndex...>) { (add.template operator()<kIndex>(), ...); }
  (std::make_index_sequence<kCount>());
  text.append(line.data(), end);
}

}  // namespace fluidbatch::sim
