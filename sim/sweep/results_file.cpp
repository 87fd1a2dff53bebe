#include "sim/sweep/results_file.h"

#include <utility>

#include "sim/sweep/tail_measure.h"
#include "sim/version.h"
#include "workloads/io/text_number.h"

namespace fluidbatch::sim {
namespace {

std::string json_list(const std::vector<double>& values) {
  std::string text = "[";
  for (const double value : values) {
    if (text.size() > 1) text += ",";
    text += value == value ? io::shortest(value) : "null";
  }
  return text + "]";
}

std::string question_marks(std::size_t count) {
  std::string text = "?";
  for (std::size_t i = 1; i < count; ++i) text += ", ?";
  return text;
}

bool is_empty(Database& database) {
  Query tables(database, "SELECT count(*) FROM sqlite_master");
  tables.step();
  return tables.integer(0) == 0;
}

/// As a number wherever it is one, and exact: a double has no room for all seeds.
void bind_value(Query& query, const io::Node& value) {
  constexpr std::int64_t kMostExact = std::int64_t{1} << 53;
  const std::string text = value_text(value);
  const auto integer = io::parse_integer(text);
  const auto number = io::parse_number(text);
  if (integer && (*integer > kMostExact || *integer < -kMostExact)) {
    query.bind(*integer);
  } else if (number) {
    query.bind(*number);
  } else {
    query.bind(text);
  }
}

}  // namespace

ResultsFile ResultsFile::create(const std::filesystem::path& file, const Sweep& sweep,
                                const Provenance& provenance) {
  Database database(file, Database::Access::create);
  create_tables(database, provenance);
  return {std::move(database), sweep};
}

ResultsFile ResultsFile::open(const std::filesystem::path& file, const Sweep& sweep,
                              const Provenance& provenance) {
  std::error_code ignored;
  const auto check = [&](Database& database) {
    database.require_undamaged();
    if (is_empty(database)) return;
    require_results_file(database);
    require_same(database, provenance, "this one");
  };
  // A kill in the midst of the first or the last change of a file's journal leaves it to be rolled back,
  // which only a writer can do.
  const bool half_changed = std::filesystem::exists(file.string() + "-journal", ignored);
  if (!half_changed && std::filesystem::file_size(file, ignored) != 0) {  // what is refused is not written to
    Database database(file, Database::Access::read);
    check(database);
  }
  Database database(file, Database::Access::write);
  if (half_changed) check(database);
  if (is_empty(database)) create_tables(database, provenance);  // killed before its tables were there
  return {std::move(database), sweep};
}

std::map<std::int64_t, double> ResultsFile::finished(StatisticId of) {
  const std::string name = all_statistics()[static_cast<std::size_t>(of)].name;
  Query query(database_, "SELECT point, " + name + " FROM points WHERE status = 'done'");
  std::map<std::int64_t, double> points;
  while (query.step()) points.emplace(query.integer(0), query.number(1));
  return points;
}

void ResultsFile::add(const Point& point, const PointResult& result, const PointRun& run) {
  const bool done = result.error.empty();
  database_.execute("BEGIN");
  Query row(database_,
            "INSERT OR REPLACE INTO points VALUES (" + question_marks(point_columns(sweep_->tail)) + ")");
  row.bind(point.number).bind(static_cast<std::int64_t>(point.setting)).bind(point.system);
  row.bind(std::int64_t{point.replication}).bind(static_cast<std::int64_t>(point.seed));
  row.bind(std::string_view(done ? "done" : "failed"));
  if (done) {
    row.bind_null().bind(result.policy).bind(result.npu).bind(result.npu_mode).bind(result.network);
    row.bind(std::string_view(kVersion)).bind(static_cast<std::int64_t>(result.statistics.admitted));
    row.bind(std::int64_t{result.statistics.saturated});
    for (const Statistic& statistic : all_statistics()) row.bind(result.statistics[statistic.id]);
    bind_tail(row, result);
    row.bind(json_list(result.statistics.exit_shares)).bind(json_list(result.statistics.exit_accuracies));
    row.bind(json_list(result.statistics.segment_batches)).bind(result.configuration);
  } else {
    row.bind(result.error).bind_null().bind_null().bind_null().bind_null().bind(std::string_view(kVersion));
    // The rest stays NULL.
  }
  row.run();
  Query how(database_, "INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?, ?)");
  how.bind(point.number)
      .bind(run.host)
      .bind(run.process)
      .bind(run.started)
      .bind(run.wall_s)
      .bind(run.processor_s);
  how.run();
  Query(database_, "DELETE FROM parts WHERE point = ?").bind(point.number).run();
  add_parts(point.number, "service", result.statistics.services, result.services);
  add_parts(point.number, "npu", result.statistics.npus, result.npus);
  add_setting(point.setting);
  database_.execute("COMMIT");
}

void ResultsFile::add_parts(std::int64_t point, const char* kind, const std::vector<RunStatistics>& parts,
                            const std::vector<std::string>& names) {
  if (parts.empty()) return;
  Query row(database_, "INSERT INTO parts VALUES (" + question_marks(part_columns()) + ")");
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const RunStatistics& part = parts[i];
    row.bind(point).bind(std::string_view(kind)).bind(static_cast<std::int64_t>(i)).bind(names[i]);
    row.bind(static_cast<std::int64_t>(part.admitted)).bind(std::int64_t{part.saturated});
    for (const Statistic& statistic : all_statistics()) row.bind(part[statistic.id]);
    row.bind(json_list(part.exit_shares)).bind(json_list(part.exit_accuracies));
    row.bind(json_list(part.segment_batches)).run();
  }
}

void ResultsFile::bind_tail(Query& row, const PointResult& result) const {
  if (!sweep_->tail) return;
  const std::size_t columns = tail_columns(*sweep_->tail).size();
  for (std::size_t i = 0; i < columns; ++i) {
    i < result.tail.size() ? row.bind(result.tail[i]) : row.bind_null();
  }
}

void ResultsFile::add_setting(std::size_t setting) {
  const Setting values = sweep_->setting(setting);
  const std::vector<std::string> keys = sweep_->keys();
  Query row(database_, "INSERT OR IGNORE INTO settings VALUES (?, ?, ?)");
  for (std::size_t k = 0; k < keys.size(); ++k) {
    row.bind(static_cast<std::int64_t>(setting)).bind(keys[k]);
    bind_value(row, values[k]);
    row.run();
  }
}

void ResultsFile::close() { database_.make_single_file(); }

}  // namespace fluidbatch::sim
