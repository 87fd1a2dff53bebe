// `compare`.
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "sim/cli/commands.h"
#include "sim/output/text_table.h"
#include "sim/sweep/compare.h"
#include "workloads/io/csv.h"
#include "workloads/io/text_number.h"

namespace fluidbatch::sim::cli {
namespace {

std::string with_interval(const Interval& interval) {
  if (std::isnan(interval.half_width)) return rounded(interval.mean);
  return fmt::format("{} ±{}", rounded(interval.mean), rounded(interval.half_width, 2));
}

std::string with_interval(const RatioInterval& ratio) {
  if (std::isnan(ratio.ratio)) return "-";
  if (std::isnan(ratio.low)) return fmt::format("{}x", rounded(ratio.ratio, 3));
  return fmt::format("{}x [{}, {}]", rounded(ratio.ratio, 3), rounded(ratio.low, 3), rounded(ratio.high, 3));
}

/// The last part of each key, or all of it where that would not tell two apart.
std::vector<std::string> short_names(const std::vector<std::string>& keys) {
  std::vector<std::string> names;
  names.reserve(keys.size());
  for (const std::string& key : keys) names.push_back(key.substr(key.rfind('.') + 1));
  return std::set(names.begin(), names.end()).size() == keys.size() ? names : keys;
}

/// A table with the axes in front and, from column `first` on, what `text` says of each cell.
template <typename Text>
void print_cells(const Comparison& comparison, std::size_t first, const Text& text) {
  std::vector<std::string> head = short_names(comparison.axes);
  head.insert(head.end(), comparison.columns.begin() + static_cast<std::ptrdiff_t>(first),
              comparison.columns.end());
  TextTable table(head);
  for (const ComparedRow& row : comparison.rows) {
    std::vector<std::string> line = row.values;
    for (std::size_t c = first; c < row.cells.size(); ++c) {
      line.push_back(row.cells[c].replications > 0 ? text(row.cells[c]) : "-");
    }
    table.add(line);
  }
  fmt::print("{}", table.text());
}

void print_comparison(const Comparison& comparison) {
  bool any_saturated = false;
  fmt::print("{} ({}): mean over replications ± 95 %\n", comparison.statistic->name,
             comparison.statistic->unit);
  print_cells(comparison, 0, [&](const ComparedCell& cell) {
    any_saturated = any_saturated || cell.saturated;
    return with_interval(cell.value) + (cell.best ? " <" : "") + (cell.saturated ? " *" : "");
  });
  fmt::print("{}{}", comparison.statistic->better == Better::neither ? "" : "< best of its row\n",
             any_saturated ? "* saturated: the backlog grew, so the numbers hang on the run's length\n" : "");
  if (comparison.columns.size() > 1) {
    fmt::print("ratio to {} [95 %]\n", comparison.columns.front());
    print_cells(comparison, 1, [](const ComparedCell& cell) { return with_interval(cell.ratio); });
  }
  fmt::print("\n");
}

void print_csv(const std::vector<Comparison>& comparisons, const std::string& by) {
  std::string head;
  for (const std::string& axis : comparisons.front().axes) head += io::csv_cell(axis) + ",";
  fmt::print("{}{},metric,unit,replications,mean,ci95,ratio,ratio_low,ratio_high,best,saturated\n", head,
             io::csv_cell(by));
  const auto number = [](double value) { return std::isnan(value) ? std::string() : io::shortest(value); };
  for (const Comparison& comparison : comparisons) {
    for (const ComparedRow& row : comparison.rows) {
      for (std::size_t c = 0; c < row.cells.size(); ++c) {
        const ComparedCell& cell = row.cells[c];
        if (cell.replications == 0) continue;
        for (const std::string& value : row.values) fmt::print("{},", io::csv_cell(value));
        fmt::print("{},{},{},{},{},{},{},{},{},{},{}\n", io::csv_cell(comparison.columns[c]),
                   comparison.statistic->name, comparison.statistic->unit, cell.replications,
                   number(cell.value.mean), number(cell.value.half_width), number(cell.ratio.ratio),
                   number(cell.ratio.low), number(cell.ratio.high), int{cell.best}, int{cell.saturated});
      }
    }
  }
}

}  // namespace

void compare(const CompareArguments& arguments) {
  const auto comparisons =
      compare_results(arguments.results, arguments.by, arguments.metrics, arguments.base);
  if (arguments.csv) return print_csv(comparisons, arguments.by);
  for (const Comparison& comparison : comparisons) print_comparison(comparison);
}

}  // namespace fluidbatch::sim::cli
