#include "sim/output/statistics_table.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "sim/scenario/scenario.h"

namespace fluidbatch::sim {
namespace {

struct Row {
  std::string system;
  std::string service;  ///< empty: of all
  std::string npu;      ///< number; empty: of all
  const RunStatistics* statistics = nullptr;
};

std::vector<Row> rows_of(const Scenario& scenario, const std::vector<RunStatistics>& results) {
  std::vector<Row> rows;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const RunStatistics& whole = results[i];
    const std::string& label = scenario.systems[i].label;
    rows.push_back({label, "", "", &whole});
    for (std::size_t s = 0; s < whole.services.size(); ++s)
      rows.push_back({label, scenario.services[s].name, "", &whole.services[s]});
    for (std::size_t n = 0; n < whole.npus.size(); ++n)
      rows.push_back({label, "", std::to_string(n), &whole.npus[n]});
  }
  return rows;
}

}  // namespace

NamedTable statistics_table(const Scenario& scenario, const std::vector<RunStatistics>& results) {
  const std::vector<Row> rows = rows_of(scenario, results);
  io::ColumnTable table;
  table.add("system", rows, [](const Row& row) { return row.system; });
  if (rows.size() > results.size()) {
    table.add("service", rows, [](const Row& row) { return row.service; });
    table.add("npu", rows, [](const Row& row) { return row.npu; });
  }
  table.add("admitted", rows, [](const Row& row) { return row.statistics->admitted; });
  table.add("saturated", rows, [](const Row& row) { return row.statistics->saturated; });
  for (const Statistic& statistic : all_statistics())
    table.add(statistic.name, rows, [&](const Row& row) { return (*row.statistics)[statistic.id]; });
  NamedTable::Lists shares{.name = "exit_shares", .of_rows = {}};
  for (const Row& row : rows) shares.of_rows.push_back(row.statistics->exit_shares);
  return {.name = "rows", .table = std::move(table), .lists = {std::move(shares)}};
}

}  // namespace fluidbatch::sim
