// A table by columns, each with a name and values of one type: what a CSV and the arrays of Python are made
// of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <ranges>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

namespace fluidbatch::io {

/// A column: a name, and values of one type.
struct Column {
  using Values = std::variant<std::vector<std::int64_t>, std::vector<double>, std::vector<std::string>,
                              std::vector<bool>>;

  std::string name;
  Values values;
};

/// Columns of equal length, in order.
class ColumnTable {
 public:
  /// Adds a column: of each of `rows` what `value` gives, a whole number, a number, a text or a flag.
  /// Precondition: all columns have as many rows.
  template <std::ranges::sized_range Rows, typename Value>
  void add(std::string name, const Rows& rows, const Value& value) {
    using Given = std::remove_cvref_t<decltype(value(*std::ranges::begin(rows)))>;
    using Cell = std::conditional_t<
        std::is_same_v<Given, bool>, bool,
        std::conditional_t<std::is_integral_v<Given>, std::int64_t,
                           std::conditional_t<std::is_floating_point_v<Given>, double, std::string>>>;
    std::vector<Cell> values;
    values.reserve(std::ranges::size(rows));
    for (const auto& row : rows) values.push_back(static_cast<Cell>(value(row)));
    columns_.push_back({std::move(name), std::move(values)});
  }

  [[nodiscard]] const std::vector<Column>& columns() const { return columns_; }
  [[nodiscard]] std::size_t rows() const;

  /// A header and a line for each row. Numbers are the shortest text that reads back, nothing where they are
  /// not defined (NaN), flags 0 or 1, texts in quotes where they need them.
  [[nodiscard]] std::string csv() const;

 private:
  std::vector<Column> columns_;
};

}  // namespace fluidbatch::io
