#include "sim/sweep/merge.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

#include "sim/sweep/replications.h"
#include "sim/sweep/results_schema.h"
#include "workloads/io/input_error.h"

namespace fluidbatch::sim {
namespace {

namespace fs = std::filesystem;
using io::InputError;

/// A file on its way to `out`, under a name of its own in the same folder; what is left of it when this goes
/// is removed.
class UnfinishedFile {
 public:
  explicit UnfinishedFile(fs::path out) : out_(std::move(out)) {
    // All names are made before the file is, so that it can't be left for want of memory.
    std::string name = out_.string() + "." + std::string(6, 'X');  // what mkstemp replaces
    for (const char* suffix : {"", "-wal", "-shm", "-journal"}) left_behind_.push_back(name + suffix);
    const int descriptor = ::mkstemp(name.data());
    if (descriptor < 0) {
      throw InputError(out_.string() + ": can't be opened or written (" + std::strerror(errno) + ")");
    }
    const mode_t mask = ::umask(0);
    ::umask(mask);
    ::fchmod(descriptor, 0666 & ~mask);  // mkstemp's is for the owner alone
    ::close(descriptor);
    for (std::string& file : left_behind_) std::copy(name.begin(), name.end(), file.begin());
  }
  UnfinishedFile(const UnfinishedFile&) = delete;
  UnfinishedFile& operator=(const UnfinishedFile&) = delete;
  /// Takes no memory, since the file may have got its name by then.
  ~UnfinishedFile() {
    for (const std::string& file : left_behind_) ::unlink(file.c_str());
  }

  [[nodiscard]] fs::path path() const { return left_behind_.front(); }

  /// Gives it its name, where no file of that name has appeared meanwhile.
  void finish() const {
    if (::renameat2(AT_FDCWD, left_behind_.front().c_str(), AT_FDCWD, out_.c_str(), RENAME_NOREPLACE) == 0)
      return;
    if (errno == EEXIST) throw InputError(out_.string() + ": already exists");
    std::error_code error;  // a file system that does not know of RENAME_NOREPLACE
    fs::rename(path(), out_, error);
    if (error) throw InputError(out_.string() + ": can't be written: " + error.message());
  }

 private:
  fs::path out_;
  std::vector<std::string> left_behind_;  // it, and what SQLite puts beside it
};

void require_new(const fs::path& out) {
  require_file_name(out.string());
  std::error_code error;
  const fs::file_status status = fs::symlink_status(out, error);
  if (fs::is_directory(status)) throw InputError(out.string() + ": is a folder; a file is needed");
  if (fs::exists(status)) throw InputError(out.string() + ": already exists");
}

/// Copies rows of one part to the merged file.
class PartCopier {
 public:
  PartCopier(Database& merged, std::int64_t points, std::size_t columns)
      : merged_(merged),
        points_(points),
        find_(merged, "SELECT * FROM points WHERE point = ?"),
        put_setting_(merged, "INSERT OR IGNORE INTO settings VALUES (?, ?, ?)"),
        put_point_(merged, "INSERT OR REPLACE INTO points VALUES (" + marks(columns) + ")"),
        put_run_(merged, "INSERT OR REPLACE INTO runs VALUES (" + marks(kRunColumns) + ")"),
        find_parts_(merged, kParts),
        put_part_(merged, "INSERT INTO parts VALUES (" + marks(part_columns()) + ")") {}

  void copy(Database& part) {
    merged_.execute("BEGIN");
    Query settings(part, "SELECT setting, key, value FROM settings");
    while (settings.step()) copy_row(settings, put_setting_);
    Query points(part, "SELECT * FROM points ORDER BY point");
    Query run(part, "SELECT * FROM runs WHERE point = ?");
    Query parts(part, kParts);  // of a site
    while (points.step()) {
      if (points.integer(0) < 0 || points.integer(0) >= points_) {
        throw InputError(part.file().string() + ": point " + std::to_string(points.integer(0)) +
                         " is not one of the sweep's");
      }
      if (!is_news(points, parts, part)) continue;
      copy_row(points, put_point_);
      run.bind(points.integer(0));
      if (run.step()) copy_row(run, put_run_);
      run.reset();
      parts.bind(points.integer(0));
      while (parts.step()) copy_row(parts, put_part_);
    }
    merged_.execute("COMMIT");
  }

 private:
  static constexpr std::size_t kRunColumns = 6;
  static constexpr int kStatusColumn = 5;
  static constexpr const char* kParts = "SELECT * FROM parts WHERE point = ? ORDER BY kind, number";

  static std::string marks(std::size_t count) {
    std::string text = "?";
    for (std::size_t i = 1; i < count; ++i) text += ", ?";
    return text;
  }

  static void copy_row(const Query& row, Query& into) {
    for (int c = 0; c < row.columns(); ++c) into.bind_copy(row, c);
    into.run();
  }

  /// Whether the merged file lacks the point, or has one that failed where this one has succeeded.
  bool is_news(const Query& point, Query& parts, const Database& part) {
    find_.bind(point.integer(0));
    const bool is_there = find_.step();
    const bool both_done =
        is_there && find_.text(kStatusColumn) == "done" && point.text(kStatusColumn) == "done";
    if (both_done && !(find_.same_row(point) && have_same_parts(point.integer(0), parts))) {
      throw InputError(part.file().string() + ": point " + std::to_string(point.integer(0)) +
                       " has results here that differ from those of an earlier file");
    }
    const bool news =
        !is_there || (find_.text(kStatusColumn) == "failed" && point.text(kStatusColumn) == "done");
    find_.reset();
    return news;
  }

  /// Whether the merged file has the same parts of the point as `parts`.
  bool have_same_parts(std::int64_t point, Query& parts) {
    find_parts_.bind(point);
    parts.bind(point);
    bool same = true;
    bool more = true;
    while (same && more) {
      more = find_parts_.step();
      same = parts.step() == more && (!more || find_parts_.same_row(parts));
    }
    find_parts_.reset();
    parts.reset();
    return same;
  }

  Database& merged_;
  std::int64_t points_;  // below which the sweep's numbers are
  Query find_;
  Query put_setting_;
  Query put_point_;
  Query put_run_;
  Query find_parts_;
  Query put_part_;
};

/// Numbers as ranges: `0-2, 6-8, ..`, no more than a line of them.
class RangeList {
 public:
  void add(std::int64_t first, std::int64_t end) {
    if (end <= first) return;
    count_ += end - first;
    if (!ranges_.empty() && ranges_.back().second == first) {
      ranges_.back().second = end;
    } else if (ranges_.size() <= kMostShown) {
      ranges_.emplace_back(first, end);
    }
  }

  [[nodiscard]] std::int64_t count() const { return count_; }

  [[nodiscard]] std::string text() const {
    std::string text;
    for (std::size_t i = 0; i < std::min(ranges_.size(), kMostShown); ++i) {
      const auto& [first, end] = ranges_[i];
      text += (i > 0 ? ", " : "") + std::to_string(first);
      if (end > first + 1) text += "-" + std::to_string(end - 1);
    }
    return ranges_.size() > kMostShown ? text + ", .." : text;
  }

 private:
  static constexpr std::size_t kMostShown = 8;

  std::vector<std::pair<std::int64_t, std::int64_t>> ranges_;
  std::int64_t count_ = 0;
};

/// The points that the sweep needs and the file lacks. Those that have failed count as present.
RangeList missing_points(Database& merged, std::int64_t pairs, const Replications& replications) {
  const StatisticId of = replications.of.value_or(StatisticId::requests);
  Query points(merged, std::string("SELECT point, status = 'done', ") +
                           all_statistics()[static_cast<std::size_t>(of)].name +
                           " FROM points ORDER BY point");
  bool more = points.step();
  RangeList missing;
  std::vector<double> values;  // of the pair's replications
  for (std::int64_t pair = 0; pair < pairs; ++pair) {
    const std::int64_t first = pair * replications.most;
    std::int64_t next = first;
    values.clear();
    for (; more && points.integer(0) < first + replications.most; more = points.step()) {
      missing.add(next, points.integer(0));
      next = points.integer(0) + 1;
      values.resize(static_cast<std::size_t>(next - first), kNotRun);
      if (points.integer(1) == 1) values.back() = points.number(2);
    }
    missing.add(next, first + needed_replications(replications, values));
  }
  return missing;
}

std::int64_t count_points(Database& merged, const std::string& condition) {
  Query count(merged, "SELECT count(*) FROM points" + condition);
  count.step();
  return count.integer(0);
}

Provenance provenance_of(const fs::path& file) {
  Database part(file, Database::Access::read);
  require_results_file(part);
  return read_provenance(part);
}

}  // namespace

MergeOutcome merge_results(const std::vector<fs::path>& files, const fs::path& out, bool partial) {
  require_new(out);
  const std::string first = files.front().string();
  const Provenance provenance = provenance_of(files.front());
  const Replications replications = replications_from(*provenance.sweep.find("replications"));
  const UnfinishedFile unfinished(out);
  MergeOutcome outcome;
  {
    Database merged(unfinished.path(), Database::Access::write);
    create_tables(merged, provenance);
    PartCopier copier(merged, provenance.pairs * replications.most, point_columns(provenance.tail()));
    for (const fs::path& file : files) {
      Database part(file, Database::Access::read);
      require_results_file(part);
      require_same(part, provenance, first);
      copier.copy(part);
    }
    outcome.points = count_points(merged, "");
    outcome.failed = count_points(merged, " WHERE status = 'failed'");
    const RangeList missing = missing_points(merged, provenance.pairs, replications);
    outcome.missing = missing.count();
    if (outcome.missing > 0 && !partial) {
      throw InputError("these files lack " + std::to_string(outcome.missing) + " of " +
                       std::to_string(outcome.points + outcome.missing) + " points of the sweep: " +
                       missing.text() + "; run what is missing (`--resume` of the unfinished part), or " +
                       "merge what there is with `--partial`");
    }
  }
  Database(unfinished.path(), Database::Access::write).make_single_file();
  unfinished.finish();
  return outcome;
}

}  // namespace fluidbatch::sim
