// `compare`.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "sim/cli/commands.h"
#include "sim/output/text_table.h"
#include "sim/sweep/compare.h"
#include "workloads/io/column_table.h"
#include "workloads/io/input_error.h"
#include "workloads/io/text_number.h"

namespace fluidbatch::sim::cli {
namespace {

/// What the cells of a table need explained below it.
struct Notes {
  bool best = false;
  bool gaps = false;
  bool saturated = false;
  bool dropped = false;
  bool none = false;
  bool undefined = false;
  bool no_ratio = false;

  void print(const Comparison& comparison) const;
};

void Notes::print(const Comparison& comparison) const {
  const PointMetric& metric = comparison.metric;
  if (best) fmt::print("< best of its row\n");
  if (gaps && comparison.of_parts) {
    fmt::print("- not done yet, failed, or not a part of that system\n");
  } else if (gaps) {
    fmt::print("- not done yet, failed, or not a point of the sweep{}\n",
               metric.better == Better::neither ? "" : ": no best of such a row");
  }
  if (saturated) {
    fmt::print(
        "* saturated, or in a ratio either of the two: the backlog grew,\n"
        "  so the numbers depend on the run's length\n");
  }
  if (dropped) {
    fmt::print(
        "d some requests were dropped, which this statistic leaves out:\n"
        "  no best of a row with different drop rates\n");
  }
  if (none) {
    fmt::print(
        "≤ ≥ not one request of one side counted: one-sided bounds, 95 %\n"
        "  (rule of three), as for independent requests\n");
  }
  if (no_ratio) fmt::print("n/a no ratio: the base is 0, or one of the two is not defined\n");
  if (undefined) fmt::print("n/a not defined: {}\n", defined_where(metric));
}

/// What a cell says of its value, in a table of values.
std::string value_text(const ComparedCell& cell, const PointMetric& metric, Notes& notes) {
  if (std::isnan(cell.value.mean)) {
    notes.undefined = true;
    return "n/a";
  }
  std::string text = rounded(cell.value.mean);
  if (!std::isnan(cell.upper)) {
    notes.none = true;
    text += fmt::format(" (≤ {})", rounded(cell.upper, 2));
  } else if (!std::isnan(cell.value.half_width)) {
    text += fmt::format(" ±{}", rounded(cell.value.half_width, 2));
  }
  const bool dropped = cell.drop_rate > 0 && !metric.counts_drops;
  notes.best = notes.best || cell.best;
  notes.dropped = notes.dropped || dropped;
  notes.saturated = notes.saturated || cell.saturated;
  return text + (cell.best ? " <" : "") + (dropped ? " d" : "") + (cell.saturated ? " *" : "");
}

/// What it says of its ratio to the base.
std::string ratio_text(const ComparedCell& cell, Notes& notes) {
  if (cell.pairs == 0) return "-";
  const RatioInterval& ratio = cell.ratio;
  std::string text = "n/a";
  if (!std::isnan(ratio.ratio)) text = rounded(ratio.ratio, 3) + "x";
  if (!std::isnan(ratio.low) && !std::isnan(ratio.high)) {
    const bool one_sided = !std::isnan(cell.upper) && ratio.ratio == 0;
    text = one_sided ? fmt::format("≤ {}x", rounded(ratio.high, 2))
                     : fmt::format("{} [{}, {}]", text, rounded(ratio.low, 3), rounded(ratio.high, 3));
  } else if (!std::isnan(ratio.high)) {
    text = fmt::format("≤ {}x", rounded(ratio.high, 2));
  } else if (!std::isnan(ratio.low)) {
    text = fmt::format("≥ {}x", rounded(ratio.low, 2));
    notes.none = true;
  }
  notes.no_ratio = notes.no_ratio || text == "n/a";
  const bool saturated = cell.saturated || cell.base_saturated;
  notes.saturated = notes.saturated || saturated;
  return text + (saturated ? " *" : "");
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
void print_cells(const Comparison& comparison, std::size_t first, Notes& notes, const Text& text) {
  std::vector<std::string> head = short_names(comparison.axes);
  head.insert(head.end(), comparison.columns.begin() + static_cast<std::ptrdiff_t>(first),
              comparison.columns.end());
  TextTable table(head);
  for (const ComparedRow& row : comparison.rows) {
    std::vector<std::string> line = row.values;
    line.resize(head.size(), "-");
    for (const ComparedCell& cell : row.cells) {
      if (cell.column >= first) line[row.values.size() + cell.column - first] = text(cell);
    }
    notes.gaps = notes.gaps || row.cells.size() < comparison.columns.size();
    table.add(line);
  }
  fmt::print("{}", table.text());
}

void print_comparison(const Comparison& comparison) {
  const PointMetric& metric = comparison.metric;
  if (!is_defined_somewhere(comparison)) {
    fmt::print("{}: not defined at any point: {}\n\n", metric.name, defined_where(metric));
    return;
  }
  constexpr std::size_t kMostCells = 10'000'000;
  if (comparison.rows.size() * comparison.columns.size() > kMostCells) {
    throw io::InputError(fmt::format("compare: a table of {} rows and {} columns is too large; use --csv",
                                     comparison.rows.size(), comparison.columns.size()));
  }
  Notes notes;
  fmt::print("{} ({}): mean over replications ± 95 %\n", metric.name, metric.unit);
  print_cells(comparison, 0, notes,
              [&](const ComparedCell& cell) { return value_text(cell, metric, notes); });
  if (comparison.columns.size() > 1) {
    fmt::print("ratio to {} [95 %]\n", comparison.columns.front());
    print_cells(comparison, 1, notes, [&](const ComparedCell& cell) { return ratio_text(cell, notes); });
  }
  notes.print(comparison);
  fmt::print("\n");
}

struct FlatCell {
  const Comparison& comparison;
  const ComparedRow& row;
  const ComparedCell& cell;
};

/// Adds what `text` gives: as whole numbers, or as numbers, where each of them is one.
template <typename Rows, typename Text>
void add_numbers(io::ColumnTable& table, const std::string& name, const Rows& rows, const Text& text) {
  const auto integer = [&](const auto& row) { return io::parse_integer(text(row)); };
  const auto number = [&](const auto& row) { return io::parse_number(text(row)); };
  const auto is_finite = [&](const auto& row) { return number(row) && std::isfinite(*number(row)); };
  if (std::ranges::all_of(rows, [&](const auto& row) { return integer(row).has_value(); })) {
    table.add(name, rows, [&](const auto& row) { return *integer(row); });
  } else if (std::ranges::all_of(rows, is_finite)) {
    table.add(name, rows, [&](const auto& row) { return *number(row); });
  } else {
    table.add(name, rows, text);
  }
}

/// Whether names stand there, whatever they look like, and not the values of an axis.
bool has_names(const std::string& key) { return key == "system" || key == "service" || key == "npu"; }

/// A row for each cell of all comparisons; values of axes as texts or, with `numbers`, as what they are.
io::ColumnTable compared_columns(const std::vector<Comparison>& comparisons, const std::string& by,
                                 bool numbers) {
  std::vector<FlatCell> cells;
  for (const Comparison& comparison : comparisons) {
    for (const ComparedRow& row : comparison.rows) {
      for (const ComparedCell& cell : row.cells) cells.push_back({comparison, row, cell});
    }
  }
  io::ColumnTable table;
  const std::vector<std::string>& axes = comparisons.front().axes;
  const auto add_values = [&](const std::string& key, const auto& text) {
    numbers && !has_names(key) ? add_numbers(table, key, cells, text) : table.add(key, cells, text);
  };
  for (std::size_t i = 0; i < axes.size(); ++i)
    add_values(axes[i], [i](const FlatCell& its) { return its.row.values[i]; });
  add_values(by, [](const FlatCell& its) { return its.comparison.columns[its.cell.column]; });
  table.add("metric", cells, [](const FlatCell& its) { return its.comparison.metric.name; });
  table.add("unit", cells, [](const FlatCell& its) { return its.comparison.metric.unit; });
  table.add("replications", cells, [](const FlatCell& its) { return its.cell.replications; });
  table.add("mean", cells, [](const FlatCell& its) { return its.cell.value.mean; });
  table.add("ci95", cells, [](const FlatCell& its) { return its.cell.value.half_width; });
  table.add("ratio", cells, [](const FlatCell& its) { return its.cell.ratio.ratio; });
  table.add("ratio_low", cells, [](const FlatCell& its) { return its.cell.ratio.low; });
  table.add("ratio_high", cells, [](const FlatCell& its) { return its.cell.ratio.high; });
  table.add("best", cells, [](const FlatCell& its) { return its.cell.best; });
  table.add("saturated", cells, [](const FlatCell& its) { return its.cell.saturated; });
  table.add("base_saturated", cells, [](const FlatCell& its) { return its.cell.base_saturated; });
  table.add("upper", cells, [](const FlatCell& its) { return its.cell.upper; });
  table.add("drop_rate", cells, [](const FlatCell& its) { return its.cell.drop_rate; });
  return table;
}

}  // namespace

void compare(const CompareArguments& arguments) {
  const Comparisons comparisons =
      compare_results(arguments.results, arguments.by, arguments.metrics, arguments.base);
  const std::string unfinished = unfinished_text(comparisons.state);
  if (!arguments.csv && !arguments.json) {
    fmt::print("{}{}", unfinished, unfinished.empty() ? "" : "\n");
    for (const Comparison& comparison : comparisons.of) print_comparison(comparison);
    return;
  }
  // Beside the table, where it does no harm.
  fmt::print(stderr, "{}", unfinished);
  for (const Comparison& comparison : comparisons.of) {
    if (is_defined_somewhere(comparison)) continue;
    fmt::print(stderr, "{}: not defined at any point: {}\n", comparison.metric.name,
               defined_where(comparison.metric));
  }
  fmt::print("{}", table_text(arguments, compared_columns(comparisons.of, arguments.by, arguments.json)));
}

}  // namespace fluidbatch::sim::cli
