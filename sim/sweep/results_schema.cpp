#include "sim/sweep/results_schema.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "sim/sweep/tail_measure.h"
#include "sim/version.h"
#include "workloads/io/input_error.h"
#include "workloads/io/map_reader.h"
#include "workloads/io/shipped_files.h"

namespace fluidbatch::sim {
namespace {

using io::InputError;

/// The newest, which is written, last.
constexpr std::array<ResultsFormat, 3> kFormats{{
    {.name = "4", .statistics = static_cast<std::size_t>(StatisticId::antt), .parts = false},
    {.name = "5", .statistics = static_cast<std::size_t>(StatisticId::energy_per_request), .parts = true},
    {.name = "6", .statistics = kStatistics, .parts = true},
}};
constexpr std::int64_t kMostPairs = 100'000'000;

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

std::string statistics_columns(const ResultsFormat& format) {
  std::string sql;
  for (const Statistic& statistic : all_statistics().first(format.statistics))
    sql += std::string(statistic.name) + " REAL, ";
  return sql;
}

std::string points_table(const ResultsFormat& format, const std::optional<TailOptions>& tail) {
  std::string sql = "CREATE TABLE points (";
  for (const std::string& column : fixed_columns()) sql += column + ", ";
  sql += statistics_columns(format);
  if (tail) {
    for (const TailColumn& column : tail_columns(*tail)) sql += column.name + " REAL, ";
  }
  return sql + "exit_shares TEXT, exit_accuracies TEXT, segment_batches TEXT, configuration TEXT)";
}

constexpr std::size_t kFixedPartColumns = 6;

std::string parts_table(const ResultsFormat& format) {
  return "CREATE TABLE parts (point INTEGER NOT NULL, kind TEXT NOT NULL, number INTEGER NOT NULL, name TEXT "
         "NOT NULL, admitted INTEGER NOT NULL, saturated INTEGER NOT NULL, " +
         statistics_columns(format) +
         "exit_shares TEXT, exit_accuracies TEXT, segment_batches TEXT, PRIMARY KEY (point, kind, number))";
}

struct Table {
  std::string name;
  std::string sql;  ///< as SQLite keeps it
};

const Table& sweep_table() {
  static const Table table{"sweep",
                           "CREATE TABLE sweep (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID"};
  return table;
}

std::vector<Table> tables(const ResultsFormat& format, const std::optional<TailOptions>& tail) {
  std::vector<Table> all{
      sweep_table(),
      {"files", "CREATE TABLE files (file TEXT PRIMARY KEY, hash TEXT NOT NULL) WITHOUT ROWID"},
      {"settings",
       "CREATE TABLE settings (setting INTEGER NOT NULL, key TEXT NOT NULL, value, PRIMARY KEY (setting, "
       "key)) WITHOUT ROWID"},
      {"points", points_table(format, tail)},
      {"runs",
       "CREATE TABLE runs (point INTEGER PRIMARY KEY, host TEXT, process INTEGER, started TEXT, wall_s REAL, "
       "processor_s REAL)"}};
  if (format.parts) all.push_back({"parts", parts_table(format)});
  return all;
}

/// A column for each axis.
std::string axes_columns(const std::vector<io::Node>& keys) {
  std::string sql;
  for (const io::Node& key : keys) {
    const bool is_column = key.scalar == "seed" || key.scalar == "network";  // which every point has
    if (is_column) continue;
    sql += ", (SELECT value FROM settings WHERE settings.setting = points.setting AND key = " +
           literal(key.scalar) + ") AS " + quoted(key.scalar);
  }
  return sql;
}

/// All points, and all parts of sites, with a column for each axis: for pandas and the sqlite3 shell.
std::string results_views(const std::vector<io::Node>& keys) {
  const std::string axes = axes_columns(keys);
  return "CREATE VIEW results AS SELECT points.*" + axes +
         " FROM points; CREATE VIEW part_results AS SELECT parts.*, setting, system, replication, seed, "
         "network" +
         axes + " FROM parts JOIN points USING (point);";
}

bool has_table(Database& database, const Table& table) {
  Query query(database, "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?");
  query.bind(table.name);
  return query.step() && query.text(0) == table.sql;
}

std::string fact(Database& database, const std::string& key) {
  Query query(database, "SELECT value FROM sweep WHERE key = ?");
  query.bind(key);
  if (!query.step()) throw InputError(database.file().string() + ": is not a results file of a sweep");
  return query.text(0);
}

/// Throws where the database does not have the tables of `format`.
void require_tables(Database& database, const ResultsFormat& format) {
  const std::string name = database.file().string();
  const Provenance claimed{.sweep = io::parse_yaml(fact(database, "sweep"), name), .pairs = 0, .files = {}};
  for (const Table& table : tables(format, claimed.tail())) {
    if (has_table(database, table)) continue;
    throw InputError(name + ": its table '" + table.name + "' is not as version " + kVersion +
                     " makes it; the file is of version " + fact(database, "version"));
  }
}

/// What the file says that it is.
std::string format_of(Database& database) {
  if (!has_table(database, sweep_table())) {
    throw InputError(database.file().string() + ": is not a results file of a sweep");
  }
  return fact(database, "format");
}

/// The first file whose content differs, or that only one of the two has.
std::optional<std::string> changed_file(const io::FileHashes& before, const io::FileHashes& now) {
  for (const auto& [file, hash] : before) {
    const auto found = now.find(file);
    if (found == now.end() || found->second != hash) return file;
  }
  for (const auto& [file, hash] : now) {
    if (!before.contains(file)) return file;
  }
  return std::nullopt;
}

}  // namespace

io::FileHashes portable_names(const io::FileHashes& files) {
  const std::string shipped = io::shipped_folder().lexically_normal().string() + "/";
  io::FileHashes portable;
  for (const auto& [file, hash] : files) {
    portable.emplace(file.starts_with(shipped) ? file.substr(shipped.size()) : file, hash);
  }
  return portable;
}

std::optional<TailOptions> Provenance::tail() const { return read_measure(sweep); }

std::size_t point_columns(const std::optional<TailOptions>& tail) {
  return fixed_columns().size() + all_statistics().size() + (tail ? tail_columns(*tail).size() : 0) + 4;
}

std::size_t part_columns() { return kFixedPartColumns + all_statistics().size() + 3; }

void create_tables(Database& database, const Provenance& provenance) {
  std::string sql = "BEGIN; ";
  for (const Table& table : tables(kFormats.back(), provenance.tail())) sql += table.sql + "; ";
  database.execute(sql + results_views(provenance.sweep.find("keys")->items));
  Query add_fact(database, "INSERT INTO sweep VALUES (?, ?)");
  add_fact.bind(std::string_view("format")).bind(std::string_view(kFormats.back().name)).run();
  add_fact.bind(std::string_view("version")).bind(std::string_view(kVersion)).run();
  add_fact.bind(std::string_view("sweep")).bind(io::to_yaml(provenance.sweep)).run();
  add_fact.bind(std::string_view("pairs")).bind(std::to_string(provenance.pairs)).run();
  Query add_file(database, "INSERT INTO files VALUES (?, ?)");
  for (const auto& [file, hash] : provenance.files) add_file.bind(file).bind(hash).run();
  database.execute("COMMIT;");
}

void require_results_file(Database& database) {
  const std::string format = format_of(database);
  if (format != kFormats.back().name) {
    throw InputError(database.file().string() + ": is of format " + format + ", this program reads format " +
                     kFormats.back().name);
  }
  require_tables(database, kFormats.back());
}

ResultsFormat require_readable_results(Database& database) {
  const std::string name = format_of(database);
  const auto* format =
      std::ranges::find_if(kFormats, [&](const ResultsFormat& known) { return name == known.name; });
  if (format == kFormats.end()) {
    throw InputError(database.file().string() + ": is of format " + name + ", this program reads formats " +
                     kFormats.front().name + " to " + kFormats.back().name);
  }
  require_tables(database, *format);
  return *format;
}

Provenance read_provenance(Database& database) {
  const std::string name = database.file().string();
  Provenance provenance;
  provenance.sweep = io::parse_yaml(fact(database, "sweep"), name);
  io::Node pairs = io::Node::text(fact(database, "pairs"));
  pairs.quoted = false;
  provenance.pairs = io::read_integer(pairs, name + ": pairs", 0, kMostPairs);
  for (const char* key : {"base", "keys", "axes", "replications"}) {
    if (provenance.sweep.find(key) == nullptr) throw InputError(name + ": is not a results file of a sweep");
  }
  Query files(database, "SELECT file, hash FROM files");
  while (files.step()) provenance.files.emplace(files.text(0), files.text(1));
  return provenance;
}

void require_same(Database& database, const Provenance& expected, const std::string& what) {
  const std::string name = database.file().string();
  if (fact(database, "version") != kVersion) {
    throw InputError(name + ": was made by version " + fact(database, "version") + ", this is " + kVersion);
  }
  const Provenance stored = read_provenance(database);
  // As they are stored: a value that is written differently and reads the same is the same.
  const io::Node given = io::parse_yaml(io::to_yaml(expected.sweep), what);
  if (const auto key = first_difference(stored.sweep, given)) {
    throw InputError(name + ": was made from a different sweep than " + what + "; '" + *key + "' differs");
  }
  if (const auto file = changed_file(stored.files, expected.files)) {
    throw InputError(name + ": was made with other contents of '" + *file + "' than " + what +
                     "; the file has changed");
  }
  if (stored.pairs != expected.pairs) {
    throw InputError(name + ": has " + std::to_string(stored.pairs) + " pairs of setting and system, " +
                     what + " has " + std::to_string(expected.pairs));
  }
}

}  // namespace fluidbatch::sim
