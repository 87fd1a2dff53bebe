#include "workloads/io/column_table.h"

#include <cmath>

#include "workloads/io/csv.h"
#include "workloads/io/text_number.h"

namespace fluidbatch::io {
namespace {

void append(std::string& text, std::int64_t value) { text += std::to_string(value); }
void append(std::string& text, double value) {
  if (!std::isnan(value)) append_shortest(text, value);
}
void append(std::string& text, bool value) { text += value ? '1' : '0'; }
void append(std::string& text, const std::string& value) { text += csv_cell(value); }

template <typename Cell>
void append_cell(std::string& text, const std::vector<Cell>& values, std::size_t row) {
  const Cell& value = values[row];
  append(text, value);
}

void append_cell(std::string& text, const std::vector<bool>& values, std::size_t row) {
  append(text, static_cast<bool>(values[row]));
}

}  // namespace

std::size_t ColumnTable::rows() const {
  if (columns_.empty()) return 0;
  return std::visit([](const auto& values) { return values.size(); }, columns_.front().values);
}

std::string ColumnTable::csv() const {
  std::string text;
  for (const Column& column : columns_) {
    if (!text.empty()) text += ',';
    text += csv_cell(column.name);
  }
  text += '\n';
  const std::size_t all = rows();
  for (std::size_t row = 0; row < all; ++row) {
    for (const Column& column : columns_) {
      if (&column != &columns_.front()) text += ',';
      std::visit([&](const auto& values) { append_cell(text, values, row); }, column.values);
    }
    text += '\n';
  }
  return text;
}

}  // namespace fluidbatch::io
