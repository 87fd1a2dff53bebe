#include "sim/sweep/point_table.h"

#include <algorithm>
#include <map>
#include <utility>

#include "sim/sweep/replications.h"
#include "sim/sweep/results_schema.h"
#include "workloads/io/input_error.h"

namespace fluidbatch::sim {
namespace {

/// How many replications a pair needs, by what is there.
int needed(const Replications& replications, const std::map<int, double>& values_of) {
  std::vector<double> values;
  for (const auto& [replication, value] : values_of) {
    if (replication != static_cast<int>(values.size())) break;
    values.push_back(value);
  }
  return needed_replications(replications, values);
}

/// One setting and system.
struct Pair {
  std::map<int, double> replications;  // with their values of `Replications::of`
  int needed = 0;
};

using Pairs = std::map<std::pair<std::int64_t, std::string>, Pair>;

SweepState state_of(Database& database, std::int64_t all_pairs, const Replications& replications,
                    const Pairs& pairs) {
  SweepState state;
  Query failed(database, "SELECT count(*) FROM points WHERE status = 'failed'");
  failed.step();
  state.failed = failed.integer(0);
  state.missing_pairs = all_pairs - static_cast<std::int64_t>(pairs.size());
  state.at_least = replications.of.has_value();
  state.planned = state.missing_pairs * replications.least;
  for (const auto& [key, pair] : pairs) {
    state.done += static_cast<std::int64_t>(pair.replications.size());
    state.planned += pair.needed;
  }
  return state;
}

using Settings = std::map<std::int64_t, std::map<std::string, std::string>>;

Settings read_settings(Database& database) {
  Settings settings;
  Query axes(database, "SELECT setting, key, value FROM settings");
  while (axes.step()) {
    settings[axes.integer(0)][axes.text(1)] = axes.value_text(2);
  }
  return settings;
}

/// The finished points by setting and system, with their values of `Replications::of`.
Pairs read_pairs(Database& database, const Replications& replications) {
  const StatisticId of = replications.of.value_or(StatisticId::requests);
  Query points(database, std::string("SELECT setting, system, replication, ") +
                             all_statistics()[static_cast<std::size_t>(of)].name +
                             " FROM points WHERE status = 'done'");
  Pairs pairs;
  while (points.step()) {
    pairs[{points.integer(0), points.text(1)}].replications[static_cast<int>(points.integer(2))] =
        points.number(3);
  }
  for (auto& [key, pair] : pairs) pair.needed = needed(replications, pair.replications);
  return pairs;
}

/// The rows of a table: `source` has the statistics, and is `points` itself or its parts of one kind.
std::string rows_query(const std::vector<PointMetric>& metrics, const std::string& part_kind) {
  const std::string source = part_kind.empty() ? "points" : "parts";
  std::string sql = "SELECT points.setting, points.system, points.replication, " + source + ".saturated, " +
                    source + ".requests, " + source + ".drop_rate, ";
  // An NPU's number says which it is; several may have one name.
  sql += part_kind.empty() ? "NULL" : part_kind == "npu" ? "'NPU ' || number" : "name";
  for (const PointMetric& metric : metrics) {
    sql += ", " + source + "." + metric.name;
    sql += metric.low.empty() ? ", NULL" : ", (" + metric.high + " - " + metric.low + ") / 2";
  }
  if (part_kind.empty()) return sql + " FROM points WHERE status = 'done' ORDER BY point";
  return sql + " FROM points JOIN parts ON parts.point = points.point WHERE status = 'done' AND kind = '" +
         part_kind + "' ORDER BY points.point, number";
}

}  // namespace

ResultsContents contents_of(const std::filesystem::path& file) {
  Database database(file, Database::Access::read);
  const ResultsFormat format = require_readable_results(database);
  ResultsContents contents{.metrics = point_metrics(read_provenance(database).tail()), .part_kinds = {}};
  std::erase_if(contents.metrics, [&](const PointMetric& metric) {
    return metric.statistic && static_cast<std::size_t>(*metric.statistic) >= format.statistics;
  });
  if (!format.parts) return contents;
  for (const char* kind : {"npu", "service"}) {
    Query any(database, "SELECT 1 FROM parts WHERE kind = ? LIMIT 1");
    any.bind(std::string_view(kind));
    if (any.step()) contents.part_kinds.emplace_back(kind);
  }
  return contents;
}

std::vector<std::string> keys_in(const std::filesystem::path& file) {
  std::vector<std::string> keys{"system"};
  Database database(file, Database::Access::read);
  require_readable_results(database);
  Query axes(database, "SELECT DISTINCT key FROM settings ORDER BY key");
  while (axes.step()) keys.push_back(axes.text(0));
  const std::vector<std::string> kinds = contents_of(file).part_kinds;
  keys.insert(keys.end(), kinds.begin(), kinds.end());
  return keys;
}

std::vector<std::string> values_in(const std::filesystem::path& file, const std::string& key) {
  const std::vector<std::string> keys = keys_in(file);
  if (std::ranges::find(keys, key) == keys.end()) return {};
  Database database(file, Database::Access::read);
  std::vector<std::string> values;
  const auto take = [&](Query&& query) {
    while (query.step()) values.push_back(query.value_text(0));
  };
  if (key == "system") {
    take(Query(database, "SELECT DISTINCT system FROM points WHERE status = 'done'"));
  } else if (key == "npu") {
    take(Query(database, "SELECT DISTINCT 'NPU ' || number FROM parts WHERE kind = 'npu'"));
  } else if (key == "service") {
    take(Query(database, "SELECT DISTINCT name FROM parts WHERE kind = 'service'"));
  } else {
    Query query(
        database,
        "SELECT DISTINCT value FROM settings WHERE key = ? AND setting IN (SELECT setting FROM points "
        "WHERE status = 'done')");
    query.bind(std::string_view(key));
    take(std::move(query));
  }
  return values;
}

PointTable read_points(const std::filesystem::path& file, const std::vector<PointMetric>& metrics,
                       const std::string& part_kind) {
  Database database(file, Database::Access::read);
  require_readable_results(database);
  const Provenance provenance = read_provenance(database);
  const Replications replications = replications_from(*provenance.sweep.find("replications"));
  const Pairs pairs = read_pairs(database, replications);
  if (pairs.empty()) throw io::InputError(file.string() + ": has no finished points");
  Settings settings = read_settings(database);
  PointTable table{.keys = {"system"}, .points = {}, .state = {}};
  if (!settings.empty()) {
    for (const auto& [key, value] : settings.begin()->second) table.keys.push_back(key);
  }
  const std::size_t keys = table.keys.size();
  if (!part_kind.empty()) table.keys.push_back(part_kind);
  Query rows(database, rows_query(metrics, part_kind));
  while (rows.step()) {
    const Pair& pair = pairs.at({rows.integer(0), rows.text(1)});
    FinishedPoint point{.values = {rows.text(1)},
                        .replication = static_cast<int>(rows.integer(2)),
                        .all_replications = static_cast<int>(pair.replications.size()) >= pair.needed,
                        .saturated = rows.integer(3) != 0,
                        .requests = rows.number(4),
                        .drop_rate = rows.number(5),
                        .metrics = {},
                        .half_widths = {}};
    auto& setting = settings[rows.integer(0)];
    for (std::size_t k = 1; k < keys; ++k) point.values.push_back(setting[table.keys[k]]);
    if (!part_kind.empty()) point.values.push_back(rows.text(6));
    for (int m = 0; m < static_cast<int>(metrics.size()); ++m) {
      point.metrics.push_back(rows.number(7 + 2 * m));
      point.half_widths.push_back(rows.number(8 + 2 * m));
    }
    table.points.push_back(std::move(point));
  }
  table.state = state_of(database, provenance.pairs, replications, pairs);
  return table;
}

}  // namespace fluidbatch::sim
