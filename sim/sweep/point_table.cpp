#include "sim/sweep/point_table.h"

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

}  // namespace

std::vector<PointMetric> metrics_of(const std::filesystem::path& file) {
  Database database(file, Database::Access::read);
  require_results_file(database);
  return point_metrics(read_provenance(database).tail());
}

PointTable read_points(const std::filesystem::path& file, const std::vector<PointMetric>& metrics) {
  Database database(file, Database::Access::read);
  require_results_file(database);
  const Provenance provenance = read_provenance(database);
  const Replications replications = replications_from(*provenance.sweep.find("replications"));
  const char* of =
      all_statistics()[static_cast<std::size_t>(replications.of.value_or(StatisticId::requests))].name;
  Settings settings = read_settings(database);
  PointTable table{.keys = {"system"}, .points = {}, .state = {}};
  if (!settings.empty()) {
    for (const auto& [key, value] : settings.begin()->second) table.keys.push_back(key);
  }
  std::string columns = std::string(", requests, drop_rate, ") + of;
  for (const PointMetric& metric : metrics) {
    columns += ", " + metric.name;
    columns += metric.low.empty() ? ", NULL" : ", (" + metric.high + " - " + metric.low + ") / 2";
  }
  Query points(database, "SELECT setting, system, replication, saturated" + columns +
                             " FROM points WHERE status = 'done' ORDER BY point");
  Pairs pairs;
  std::vector<const Pair*> pair_of;  // each point's
  while (points.step()) {
    FinishedPoint point{.values = {points.text(1)},
                        .replication = static_cast<int>(points.integer(2)),
                        .saturated = points.integer(3) != 0,
                        .requests = points.number(4),
                        .drop_rate = points.number(5),
                        .metrics = {},
                        .half_widths = {}};
    Pair& pair = pairs[{points.integer(0), points.text(1)}];
    pair.replications[point.replication] = points.number(6);
    pair_of.push_back(&pair);
    auto& setting = settings[points.integer(0)];
    for (std::size_t k = 1; k < table.keys.size(); ++k) point.values.push_back(setting[table.keys[k]]);
    for (int m = 0; m < static_cast<int>(metrics.size()); ++m) {
      point.metrics.push_back(points.number(7 + 2 * m));
      point.half_widths.push_back(points.number(8 + 2 * m));
    }
    table.points.push_back(std::move(point));
  }
  if (table.points.empty()) throw io::InputError(file.string() + ": has no finished points");
  for (auto& [key, pair] : pairs) pair.needed = needed(replications, pair.replications);
  for (std::size_t i = 0; i < table.points.size(); ++i) {
    table.points[i].all_replications =
        static_cast<int>(pair_of[i]->replications.size()) >= pair_of[i]->needed;
  }
  table.state = state_of(database, provenance.pairs, replications, pairs);
  return table;
}

}  // namespace fluidbatch::sim
