#include "sim/sweep/compare.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "sim/sweep/results_schema.h"
#include "workloads/io/input_error.h"
#include "workloads/io/text_number.h"

namespace fluidbatch::sim {
namespace {

/// What a point is told by: its system and its axes' values, in the order of the keys.
struct Entry {
  std::vector<std::string> values;
  int replication = 0;
  bool saturated = false;
  std::vector<double> statistics;  // by metric
};

struct Table {
  std::vector<std::string> keys;  // "system", then the axes
  std::vector<Entry> entries;     // by point
};

const Statistic& statistic_called(const std::string& name) {
  std::vector<std::string> names;
  for (const Statistic& statistic : all_statistics()) {
    if (statistic.name == name) return statistic;
    names.emplace_back(statistic.name);
  }
  throw io::InputError("--metric: there is no statistic '" + name + "'" + io::did_you_mean(name, names) +
                       "; `fluidbatch metric list` shows all");
}

Table read_table(const std::filesystem::path& file, const std::vector<const Statistic*>& metrics) {
  Database database(file, Database::Access::read);
  require_results_file(database);
  Table table{.keys = {"system"}, .entries = {}};
  std::map<std::int64_t, std::map<std::string, std::string>> settings;
  Query axes(database, "SELECT setting, key, value FROM settings");
  while (axes.step()) {
    settings[axes.integer(0)][axes.text(1)] = axes.value_text(2);
  }
  if (!settings.empty()) {
    for (const auto& [key, value] : settings.begin()->second) table.keys.push_back(key);
  }
  std::string columns;
  for (const Statistic* metric : metrics) columns += std::string(", ") + metric->name;
  Query points(database, "SELECT setting, system, replication, saturated" + columns +
                             " FROM points WHERE status = 'done' ORDER BY point");
  while (points.step()) {
    Entry entry{.values = {points.text(1)},
                .replication = static_cast<int>(points.integer(2)),
                .saturated = points.integer(3) != 0,
                .statistics = {}};
    for (std::size_t k = 1; k < table.keys.size(); ++k) {
      entry.values.push_back(settings[points.integer(0)][table.keys[k]]);
    }
    for (std::size_t m = 0; m < metrics.size(); ++m) {
      entry.statistics.push_back(points.number(static_cast<int>(m) + 4));
    }
    table.entries.push_back(std::move(entry));
  }
  if (table.entries.empty()) throw io::InputError(file.string() + ": has no finished points");
  return table;
}

void add_once(std::vector<std::string>& list, const std::string& value) {
  if (std::find(list.begin(), list.end(), value) == list.end()) list.push_back(value);
}

/// Replications of one cell, by number.
using Values = std::map<int, double>;

RatioInterval ratio_of(const Values& values, const Values& bases) {
  std::vector<double> a;
  std::vector<double> b;
  for (const auto& [replication, value] : values) {
    const auto base = bases.find(replication);
    if (base == bases.end()) continue;
    a.push_back(value);
    b.push_back(base->second);
  }
  return paired_ratio(a, b);
}

void mark_best(std::vector<ComparedCell>& cells, Better better) {
  if (better == Better::neither) return;
  const ComparedCell* best = nullptr;
  const auto beats = [&](double a, double b) { return better == Better::lower ? a < b : a > b; };
  for (const ComparedCell& cell : cells) {
    if (cell.replications == 0 || std::isnan(cell.value.mean)) continue;
    if (best == nullptr || beats(cell.value.mean, best->value.mean)) best = &cell;
  }
  if (best == nullptr) return;
  const double mean = best->value.mean;
  for (ComparedCell& cell : cells) cell.best = cell.replications > 0 && cell.value.mean == mean;
}

class Comparer {
 public:
  Comparer(const Table& table, const std::string& by, const std::string& base) : table_(table) {
    const auto key = std::find(table.keys.begin(), table.keys.end(), by);
    if (key == table.keys.end()) {
      throw io::InputError("--by: the sweep has no axis '" + by + "'" + io::did_you_mean(by, table.keys) +
                           "; it has " + io::quoted_list(table.keys));
    }
    by_ = static_cast<std::size_t>(key - table.keys.begin());
    for (const Entry& entry : table.entries) add_once(columns_, entry.values[by_]);
    if (!base.empty()) {
      const auto place = std::find(columns_.begin(), columns_.end(), base);
      if (place == columns_.end()) {
        throw io::InputError("--base: no value '" + base + "' of " + by + io::did_you_mean(base, columns_) +
                             "; there are " + io::quoted_list(columns_));
      }
      std::rotate(columns_.begin(), place, place + 1);
    }
    for (std::size_t k = 0; k < table.keys.size(); ++k) {
      const bool varies = std::any_of(table.entries.begin(), table.entries.end(), [&](const Entry& entry) {
        return entry.values[k] != table.entries.front().values[k];
      });
      if (k != by_ && varies) axes_.push_back(k);
    }
  }

  [[nodiscard]] Comparison compare(const Statistic& statistic, std::size_t metric) const {
    Comparison result{.statistic = &statistic, .axes = {}, .columns = columns_, .rows = {}};
    for (const std::size_t k : axes_) result.axes.push_back(table_.keys[k]);
    std::vector<std::vector<std::string>> order;  // of rows, by their first point
    std::map<std::vector<std::string>, std::vector<std::pair<Values, bool>>> rows;
    for (const Entry& entry : table_.entries) {
      std::vector<std::string> key;
      key.reserve(axes_.size());
      for (const std::size_t k : axes_) key.push_back(entry.values[k]);
      auto& cells = rows[key];
      if (cells.empty()) {
        order.push_back(key);
        cells.resize(columns_.size());
      }
      const auto column = std::find(columns_.begin(), columns_.end(), entry.values[by_]);
      auto& [values, saturated] = cells[static_cast<std::size_t>(column - columns_.begin())];
      values[entry.replication] = entry.statistics[metric];
      saturated = saturated || entry.saturated;
    }
    for (const auto& key : order) result.rows.push_back(row_of(key, rows[key], statistic));
    return result;
  }

 private:
  static ComparedRow row_of(const std::vector<std::string>& key,
                            const std::vector<std::pair<Values, bool>>& cells, const Statistic& statistic) {
    ComparedRow row{.values = key, .cells = {}};
    for (const auto& [values, saturated] : cells) {
      std::vector<double> numbers;
      for (const auto& [replication, value] : values) numbers.push_back(value);
      row.cells.push_back({.replications = numbers.size(),
                           .value = mean_interval(numbers),
                           .ratio = ratio_of(values, cells.front().first),
                           .saturated = saturated});
    }
    mark_best(row.cells, statistic.better);
    return row;
  }

  const Table& table_;
  std::size_t by_ = 0;
  std::vector<std::string> columns_;
  std::vector<std::size_t> axes_;
};

}  // namespace

std::vector<Comparison> compare_results(const std::filesystem::path& file, const std::string& by,
                                        const std::vector<std::string>& metrics, const std::string& base) {
  std::vector<const Statistic*> statistics;
  statistics.reserve(metrics.size());
  for (const std::string& name : metrics) statistics.push_back(&statistic_called(name));
  const Table table = read_table(file, statistics);
  const Comparer comparer(table, by, base);
  std::vector<Comparison> results;
  for (std::size_t m = 0; m < statistics.size(); ++m) results.push_back(comparer.compare(*statistics[m], m));
  return results;
}

}  // namespace fluidbatch::sim
