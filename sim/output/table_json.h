// Tables as JSON.
#pragma once

#include <string>
#include <vector>

#include "workloads/io/column_table.h"

namespace fluidbatch::sim {

/// A table, what its array is called, and what its rows have that is no cell: a list of numbers each, null
/// where it is empty.
struct NamedTable {
  /// A member that each row has beside its cells.
  struct Lists {
    std::string name;
    std::vector<std::vector<double>> of_rows;  ///< in the order of the table's rows
  };

  std::string name;
  io::ColumnTable table;
  std::vector<Lists> lists = {};
};

/// An object with the program's `version`, the `command` that asked for it, and an array for each table,
/// whose elements are its rows: objects with a member for each column. Numbers are the shortest text that
/// reads back, null where they are not finite.
std::string tables_json(const std::string& command, const std::vector<NamedTable>& tables);

/// The same of one table, called `rows`.
std::string table_json(const std::string& command, const io::ColumnTable& table);

}  // namespace fluidbatch::sim
