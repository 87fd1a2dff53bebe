#include "sim/sweep/compare.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "workloads/io/input_error.h"

namespace fluidbatch::sim {
namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

/// Of an argument.
io::Mark mark_of(const char* name) { return {.source = name, .line = 0, .column = 0}; }

const PointMetric& metric_called(const std::string& name, const std::vector<PointMetric>& known,
                                 const CompareWords& words) {
  std::vector<std::string> names;
  std::vector<std::string> others;  // than statistics
  for (const PointMetric& metric : known) {
    if (metric.name == name) return metric;
    names.push_back(metric.name);
    if (!metric.statistic) others.push_back(metric.name);
  }
  throw io::InputError(mark_of(words.metric),
                       "there is no statistic '" + name + "'" + io::did_you_mean(name, names) +
                           "; `fluidbatch metric list` shows all" +
                           (others.empty() ? "" : ", and this sweep has " + io::quoted_list(others)));
}

/// Shares of requests that a run has counted: of none of them a bound can be given.
bool is_share_of_requests(const PointMetric& metric) {
  return metric.statistic == StatisticId::slo_violation_rate || metric.statistic == StatisticId::drop_rate;
}

/// Of one cell.
using PointsByReplication = std::map<int, const FinishedPoint*>;

/// Of replications that two cells have in common, or of one cell's own: the values, and the requests in all.
struct Sample {
  std::vector<double> values;
  double requests = 0;
  double counted = 0;  ///< requests, for a share of them

  void add(const FinishedPoint& point, std::size_t metric) {
    const double value = point.metrics[metric];
    values.push_back(value);
    requests += point.requests;
    counted += std::round(value * point.requests);
  }
};

RatioInterval ratio_of(const PointsByReplication& points, const PointsByReplication& bases,
                       std::size_t metric, bool share_of_requests) {
  Sample sample;
  Sample base;
  for (const auto& [replication, point] : points) {
    const auto found = bases.find(replication);
    if (found == bases.end()) continue;
    sample.add(*point, metric);
    base.add(*found->second, metric);
  }
  RatioInterval ratio = paired_ratio(sample.values, base.values);
  if (!share_of_requests || (sample.counted > 0) == (base.counted > 0)) return ratio;
  if (base.counted > 0) {
    ratio.high = none_against(sample.requests, base.counted, base.requests);
  } else {
    ratio.low = 1 / none_against(base.requests, sample.counted, sample.requests);
  }
  return ratio;
}

bool have_equal_drops(const ComparedRow& row) {
  return std::all_of(row.cells.begin(), row.cells.end(),
                     [&](const ComparedCell& cell) { return cell.drop_rate == row.cells.front().drop_rate; });
}

void mark_best(ComparedRow& row, std::size_t columns, const PointMetric& metric) {
  if (metric.better == Better::neither || columns < 2 || row.cells.size() < columns) return;
  if (!metric.counts_drops && !have_equal_drops(row)) return;
  double best = row.cells.front().value.mean;
  for (const ComparedCell& cell : row.cells) {
    if (!cell.all_replications || std::isnan(cell.value.mean)) return;
    best = metric.better == Better::lower ? std::min(best, cell.value.mean) : std::max(best, cell.value.mean);
  }
  for (ComparedCell& cell : row.cells) cell.best = cell.value.mean == best;
}

/// The distinct values of one key, by their first point.
class Values {
 public:
  std::size_t index_of(const std::string& value) {
    const auto [found, added] = places_.try_emplace(value, list_.size());
    if (added) list_.push_back(value);
    return found->second;
  }

  [[nodiscard]] const std::vector<std::string>& list() const { return list_; }

 private:
  std::map<std::string, std::size_t> places_;
  std::vector<std::string> list_;
};

class Comparer {
 public:
  /// `part_kinds`: what `by` could have been beside a key of the table.
  Comparer(const PointTable& table, const std::string& by, const std::string& base,
           const std::vector<std::string>& part_kinds, const CompareWords& words)
      : table_(table) {
    const auto key = std::find(table.keys.begin(), table.keys.end(), by);
    if (key == table.keys.end()) {
      std::vector<std::string> known = table.keys;
      known.insert(known.end(), part_kinds.begin(), part_kinds.end());
      throw io::InputError(mark_of(words.by), "the sweep has no axis '" + by + "'" +
                                                  io::did_you_mean(by, known) + "; it has " +
                                                  io::quoted_list(known));
    }
    of_parts_ = std::find(part_kinds.begin(), part_kinds.end(), by) != part_kinds.end();
    const auto by_key = static_cast<std::size_t>(key - table.keys.begin());
    for (std::size_t k = 0; k < table.keys.size(); ++k) {
      const bool varies = std::any_of(
          table.points.begin(), table.points.end(),
          [&](const FinishedPoint& point) { return point.values[k] != table.points.front().values[k]; });
      if (k != by_key && varies) axes_.push_back(k);
    }
    sort_into_cells(by_key);
    may_mark_ = may_mark_ && !of_parts_;
    if (!base.empty()) make_first(base, by, words);
  }

  [[nodiscard]] Comparison compare(const PointMetric& metric, std::size_t place) const {
    Comparison result{.metric = metric, .axes = {}, .columns = columns_, .rows = {}, .of_parts = of_parts_};
    for (const std::size_t k : axes_) result.axes.push_back(table_.keys[k]);
    for (const Row& row : rows_) {
      ComparedRow compared{.values = row.values, .cells = {}};
      const auto base = row.cells.find(0);
      const PointsByReplication none;
      for (const auto& [column, points] : row.cells) {
        compared.cells.push_back(
            cell_of(points, base == row.cells.end() ? none : base->second, metric, place));
        compared.cells.back().column = column;
      }
      if (may_mark_) mark_best(compared, columns_.size(), metric);
      result.rows.push_back(std::move(compared));
    }
    return result;
  }

 private:
  struct Row {
    std::vector<std::string> values;
    std::map<std::size_t, PointsByReplication> cells;  // by column
  };

  void sort_into_cells(std::size_t by_key) {
    Values columns;
    std::map<std::vector<std::string>, std::size_t> places;
    for (const FinishedPoint& point : table_.points) {
      std::vector<std::string> values;
      values.reserve(axes_.size());
      for (const std::size_t k : axes_) values.push_back(point.values[k]);
      const auto [place, is_new] = places.try_emplace(values, rows_.size());
      if (is_new) rows_.push_back({.values = values, .cells = {}});
      rows_[place->second].cells[columns.index_of(point.values[by_key])][point.replication] = &point;
    }
    columns_ = columns.list();
    std::size_t gaps = rows_.size() * columns_.size();
    for (const Row& row : rows_) gaps -= row.cells.size();
    // Where pairs are missing that are no gaps of the table, a whole column may be.
    const std::int64_t missing = table_.state.missing_pairs;
    may_mark_ = missing == 0 || missing == static_cast<std::int64_t>(gaps);
  }

  void make_first(const std::string& base, const std::string& by, const CompareWords& words) {
    const auto place = std::find(columns_.begin(), columns_.end(), base);
    if (place == columns_.end()) {
      throw io::InputError(mark_of(words.base), "no value '" + base + "' of " + by +
                                                    io::did_you_mean(base, columns_) + "; there are " +
                                                    io::quoted_list(columns_));
    }
    const auto old = static_cast<std::size_t>(place - columns_.begin());
    std::rotate(columns_.begin(), place, place + 1);
    for (Row& row : rows_) {
      std::map<std::size_t, PointsByReplication> cells;
      for (auto& [column, points] : row.cells) {
        const std::size_t moved = column == old ? 0 : column + (column < old ? 1 : 0);
        cells.emplace(moved, std::move(points));
      }
      row.cells = std::move(cells);
    }
  }

  static bool any_saturated(const PointsByReplication& points) {
    return std::any_of(points.begin(), points.end(),
                       [](const auto& entry) { return entry.second->saturated; });
  }

  static ComparedCell cell_of(const PointsByReplication& points, const PointsByReplication& bases,
                              const PointMetric& metric, std::size_t place) {
    const bool share = is_share_of_requests(metric);
    ComparedCell cell;
    cell.replications = points.size();
    cell.all_replications = points.begin()->second->all_replications;
    cell.saturated = any_saturated(points);
    cell.base_saturated = any_saturated(bases);
    Sample sample;
    for (const auto& [replication, point] : points) {
      sample.add(*point, place);
      cell.drop_rate += point->drop_rate / static_cast<double>(points.size());
    }
    cell.value = mean_interval(sample.values);
    if (points.size() == 1) cell.value.half_width = points.begin()->second->half_widths[place];
    if (share && sample.counted == 0 && sample.requests > 0) cell.upper = none_of(sample.requests);
    cell.ratio = ratio_of(points, bases, place, share);
    cell.pairs = static_cast<std::size_t>(std::count_if(
        points.begin(), points.end(), [&](const auto& entry) { return bases.contains(entry.first); }));
    if (cell.saturated || cell.base_saturated) cell.ratio.low = cell.ratio.high = kUndefined;
    return cell;
  }

  const PointTable& table_;
  std::vector<std::string> columns_;
  std::vector<std::size_t> axes_;
  std::vector<Row> rows_;
  bool may_mark_ = true;
  bool of_parts_ = false;
};

}  // namespace

Comparisons compare_results(const std::filesystem::path& file, const std::string& by,
                            const std::vector<std::string>& metrics, const std::string& base,
                            const CompareWords& words) {
  const ResultsContents contents = contents_of(file);
  const std::vector<std::string>& kinds = contents.part_kinds;
  const bool by_parts = std::find(kinds.begin(), kinds.end(), by) != kinds.end();
  std::vector<PointMetric> compared;
  compared.reserve(metrics.size());
  for (const std::string& name : metrics) {
    compared.push_back(metric_called(name, contents.metrics, words));
    if (by_parts && !compared.back().statistic)
      throw io::InputError(mark_of(words.metric),
                           "'" + name + "' is of whole systems: " + words.by + " system");
  }
  const PointTable table = read_points(file, compared, by_parts ? by : "");
  const Comparer comparer(table, by, base, kinds, words);
  Comparisons results{.state = table.state, .of = {}};
  for (std::size_t m = 0; m < compared.size(); ++m) results.of.push_back(comparer.compare(compared[m], m));
  return results;
}

bool is_defined_somewhere(const Comparison& comparison) {
  return std::any_of(comparison.rows.begin(), comparison.rows.end(), [](const ComparedRow& row) {
    return std::any_of(row.cells.begin(), row.cells.end(),
                       [](const ComparedCell& cell) { return !std::isnan(cell.value.mean); });
  });
}

const char* defined_where(const PointMetric& metric) {
  if (!metric.statistic) {
    return "a saturated system has no tail, and a bound that no latency was predicted to reach no rate";
  }
  switch (*metric.statistic) {
    case StatisticId::unloaded_bound:
    case StatisticId::clairvoyant_bound:
    case StatisticId::distance_to_bound:
      return "bounds need `outputs.bounds: true`, arrivals that do not wait for answers, and no drops";
    case StatisticId::antt:
    case StatisticId::stp:
      return "it is of sites: of several services, or several NPUs";
    case StatisticId::fairness:
      return "it is of whole sites of several services";
    case StatisticId::accuracy:
      return "it needs `confidences`, or a trace that says which answers are right";
    case StatisticId::mac_utilisation:
      return "a measured table of latencies does not say what the PEs do";
    case StatisticId::energy_per_request:
    case StatisticId::mac_energy_per_request:
    case StatisticId::buffer_energy_per_request:
    case StatisticId::dram_energy_per_request:
    case StatisticId::static_energy_per_request:
    case StatisticId::average_power:
    case StatisticId::energy_delay_product:
      return "it needs `energy` of every NPU, which a measured table has not";
    case StatisticId::mean_latency_ci95:
    case StatisticId::p99_latency_ci95:
    case StatisticId::p99_9_latency_ci95:
    case StatisticId::mean_end_to_end_ci95:
    case StatisticId::slo_violation_rate_ci95:
      return "too few requests, or too dependent ones, were measured for an interval";
    default:
      return "no request was measured, or none was completed";
  }
}

std::string unfinished_text(const SweepState& state) {
  if (!state.unfinished()) return "";
  return fmt::format("{} of {}{} points done{}\n", state.done, state.at_least ? "at least " : "",
                     state.planned, state.failed > 0 ? fmt::format(", {} failed", state.failed) : "");
}

}  // namespace fluidbatch::sim
