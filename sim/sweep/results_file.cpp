#include "sim/sweep/results_file.h"

#include <algorithm>

#include "sim/version.h"
#include "workloads/io/input_error.h"
#include "workloads/io/text_number.h"

namespace fluidbatch::sim {
namespace {

constexpr const char* kFormat = "1";

std::string quoted(const std::string& name) {
  std::string text = "\"";
  for (const char c : name) text += c == '"' ? std::string("\"\"") : std::string(1, c);
  return text + "\"";
}

std::string literal(const std::string& value) {
  std::string text = "'";
  for (const char c : value) text += c == '\'' ? std::string("''") : std::string(1, c);
  return text + "'";
}

const std::vector<std::string>& fixed_columns() {
  static const std::vector<std::string> columns{"point INTEGER PRIMARY KEY",
                                                "setting INTEGER NOT NULL",
                                                "system TEXT NOT NULL",
                                                "replication INTEGER NOT NULL",
                                                "seed INTEGER NOT NULL",
                                                "status TEXT NOT NULL",
                                                "message TEXT",
                                                "policy TEXT",
                                                "npu TEXT",
                                                "npu_mode TEXT",
                                                "network TEXT",
                                                "version TEXT NOT NULL",
                                                "admitted INTEGER",
                                                "saturated INTEGER"};
  return columns;
}

std::string points_table() {
  std::string sql = "CREATE TABLE points (";
  for (const std::string& column : fixed_columns()) sql += column + ", ";
  for (const Statistic& statistic : all_statistics()) sql += std::string(statistic.name) + " REAL, ";
  return sql + "exit_shares TEXT, segment_batches TEXT, configuration TEXT);";
}

/// All points with a column for each axis, for pandas and the sqlite3 shell.
std::string results_view(const Sweep& sweep) {
  std::string sql = "CREATE VIEW results AS SELECT points.*";
  for (const std::string& key : sweep.keys) {
    const bool is_column = key == "seed" || key == "network";  // which every point has
    if (is_column) continue;
    sql += ", (SELECT value FROM settings WHERE settings.setting = points.setting AND key = " + literal(key) +
           ") AS " + quoted(key);
  }
  return sql + " FROM points;";
}

std::string json_list(const std::vector<double>& values) {
  std::string text = "[";
  for (const double value : values) {
    if (text.size() > 1) text += ",";
    text += value == value ? io::shortest(value) : "null";
  }
  return text + "]";
}

std::string metadata(Database& database, const std::string& key) {
  Query query(database, "SELECT value FROM sweep WHERE key = ?");
  query.bind(key);
  if (!query.step()) throw io::InputError(database.file().string() + ": is no results file of a sweep");
  return query.text(0);
}

void require_same(Database& database, const std::string& identity, const std::string& what) {
  const std::string stored = metadata(database, "sweep");
  if (stored != identity) {
    const auto key = first_difference(io::parse_yaml(stored, "stored"), io::parse_yaml(identity, "given"));
    throw io::InputError(database.file().string() + ": was made from another sweep than " + what + "; '" +
                         key.value_or("") + "' differs");
  }
  if (metadata(database, "version") != kVersion) {
    throw io::InputError(database.file().string() + ": was made by version " + metadata(database, "version") +
                         ", this is " + kVersion);
  }
}

void create_tables(Database& database, const Sweep& sweep) {
  database.execute(
      "BEGIN; CREATE TABLE sweep (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
      "CREATE TABLE settings (setting INTEGER NOT NULL, key TEXT NOT NULL, value, PRIMARY KEY (setting, "
      "key)) "
      "WITHOUT ROWID;" +
      points_table() +
      "CREATE TABLE runs (point INTEGER PRIMARY KEY, host TEXT, process INTEGER, started TEXT, wall_s REAL, "
      "processor_s REAL);" +
      results_view(sweep));
  Query fact(database, "INSERT INTO sweep VALUES (?, ?)");
  fact.bind(std::string_view("format")).bind(std::string_view(kFormat)).run();
  fact.bind(std::string_view("version")).bind(std::string_view(kVersion)).run();
  fact.bind(std::string_view("sweep")).bind(io::to_yaml(sweep.identity())).run();
  Query value(database, "INSERT INTO settings VALUES (?, ?, ?)");
  for (std::size_t s = 0; s < sweep.settings.size(); ++s) {
    for (std::size_t k = 0; k < sweep.keys.size(); ++k) {
      const std::string text = value_text(sweep.settings[s][k]);
      value.bind(static_cast<std::int64_t>(s)).bind(sweep.keys[k]);
      const auto number = io::parse_number(text);
      (number ? value.bind(*number) : value.bind(text)).run();
    }
  }
  database.execute("COMMIT;");
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

/// A file on its way to `out`; what is left of it when this goes is removed.
class UnfinishedFile {
 public:
  explicit UnfinishedFile(const std::filesystem::path& out) : path_(out.string() + ".part") { remove(); }
  UnfinishedFile(const UnfinishedFile&) = delete;
  UnfinishedFile& operator=(const UnfinishedFile&) = delete;
  ~UnfinishedFile() { remove(); }

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  void remove() const {
    std::error_code ignored;
    for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
      std::filesystem::remove(path_.string() + suffix, ignored);
    }
  }

  std::filesystem::path path_;
};

/// Makes the tables of `file` in `merged`, with its sweep and settings and without points.
void copy_tables(Database& merged, const std::filesystem::path& file) {
  merged.execute("ATTACH " + literal(file.string()) + " AS part");
  // Tables come before the view that reads them.
  Query schema(merged, "SELECT sql FROM part.sqlite_master WHERE sql IS NOT NULL ORDER BY type");
  std::string statements = "BEGIN;";
  while (schema.step()) statements += schema.text(0) + ";";
  merged.execute(statements +
                 "INSERT INTO sweep SELECT * FROM part.sweep;"
                 "INSERT INTO settings SELECT * FROM part.settings; COMMIT; DETACH part");
}

/// Adds the points of `file`; one that failed there or here and succeeded on the other side has succeeded.
void add_points(Database& merged, const std::filesystem::path& file) {
  merged.execute("ATTACH " + literal(file.string()) + " AS part");
  Query clash(
      merged,
      "SELECT a.point FROM main.points a JOIN part.points b USING (point) WHERE a.status = 'done' AND "
      "b.status = 'done' AND EXISTS (SELECT * FROM (SELECT * FROM main.points WHERE point = a.point "
      "EXCEPT SELECT * FROM part.points)) ORDER BY 1 LIMIT 1");
  if (clash.step()) {
    throw io::InputError(file.string() + ": point " + std::to_string(clash.integer(0)) +
                         " has other results here than in a file before it");
  }
  merged.execute(
      "BEGIN; CREATE TEMP TABLE new AS SELECT point FROM part.points WHERE point NOT IN (SELECT point FROM "
      "main.points) OR (status = 'done' AND point IN (SELECT point FROM main.points WHERE status = "
      "'failed'));"
      "INSERT OR REPLACE INTO main.points SELECT * FROM part.points WHERE point IN (SELECT point FROM "
      "temp.new);"
      "INSERT OR REPLACE INTO main.runs SELECT * FROM part.runs WHERE point IN (SELECT point FROM temp.new);"
      "DROP TABLE temp.new; COMMIT; DETACH part");
}

}  // namespace

void require_results_file(Database& database) {
  Query query(database,
              "SELECT count(*) FROM sqlite_master WHERE name IN ('sweep', 'settings', 'points', 'runs')");
  query.step();
  if (query.integer(0) != 4)
    throw io::InputError(database.file().string() + ": is no results file of a sweep");
  if (metadata(database, "format") != kFormat) {
    throw io::InputError(database.file().string() + ": is of format " + metadata(database, "format") +
                         ", this program reads format " + kFormat);
  }
}

ResultsFile ResultsFile::create(const std::filesystem::path& file, const Sweep& sweep) {
  Database database(file, Database::Access::create);
  create_tables(database, sweep);
  return ResultsFile(std::move(database));
}

ResultsFile ResultsFile::open(const std::filesystem::path& file, const Sweep& sweep) {
  Database database(file, Database::Access::write);
  if (is_empty(database)) {  // killed before its tables were there
    create_tables(database, sweep);
    return ResultsFile(std::move(database));
  }
  require_results_file(database);
  require_same(database, io::to_yaml(sweep.identity()), "this one");
  return ResultsFile(std::move(database));
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
  Query row(database_, "INSERT OR REPLACE INTO points VALUES (" +
                           question_marks(fixed_columns().size() + kStatistics + 3) + ")");
  row.bind(point.number).bind(static_cast<std::int64_t>(point.setting)).bind(point.system);
  row.bind(std::int64_t{point.replication}).bind(static_cast<std::int64_t>(point.seed));
  row.bind(std::string_view(done ? "done" : "failed"));
  if (done) {
    row.bind_null().bind(result.policy).bind(result.npu).bind(result.npu_mode).bind(result.network);
    row.bind(std::string_view(kVersion)).bind(static_cast<std::int64_t>(result.statistics.admitted));
    row.bind(std::int64_t{result.statistics.saturated});
    for (const Statistic& statistic : all_statistics()) row.bind(result.statistics[statistic.id]);
    row.bind(json_list(result.statistics.exit_shares)).bind(json_list(result.statistics.segment_batches));
    row.bind(result.configuration);
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
  database_.execute("COMMIT");
}

void ResultsFile::close() { database_.execute("PRAGMA journal_mode = DELETE;"); }

std::int64_t ResultsFile::merge(const std::vector<std::filesystem::path>& files,
                                const std::filesystem::path& out) {
  Database first(files.front(), Database::Access::read);
  require_results_file(first);
  const std::string identity = metadata(first, "sweep");
  for (const std::filesystem::path& file : files) {
    Database database(file, Database::Access::read);
    require_results_file(database);
    require_same(database, identity, files.front().string());
  }
  std::error_code ignored;
  if (std::filesystem::exists(out, ignored)) throw io::InputError(out.string() + ": is there already");
  const UnfinishedFile unfinished(out);
  Database merged(unfinished.path(), Database::Access::create);
  copy_tables(merged, files.front());
  for (const std::filesystem::path& file : files) add_points(merged, file);
  Query count(merged, "SELECT count(*) FROM points");
  count.step();
  const std::int64_t points = count.integer(0);
  count.run();
  merged.execute("PRAGMA journal_mode = DELETE");
  std::filesystem::rename(unfinished.path(), out);
  return points;
}

}  // namespace fluidbatch::sim
