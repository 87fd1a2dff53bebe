#include "sim/sweep/sqlite.h"

#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fcntl.h>
#include <limits>
#include <sqlite3.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "workloads/io/input_error.h"
#include "workloads/io/text_number.h"

namespace fluidbatch::sim {
namespace {

constexpr std::uint32_t kApplicationId = 0x466C4261;  // "FlBa"

/// The first bytes of a database file (sqlite.org/fileformat.html).
constexpr std::size_t kHeaderBytes = 100;
constexpr std::string_view kMagic("SQLite format 3\0", 16);
constexpr std::size_t kApplicationIdAt = 68;

std::string read_header(const std::string& name) {
  // A pipe without a writer would not even open.
  const int descriptor = ::open(name.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (descriptor < 0 && errno == ENOENT) throw io::InputError(name + ": no such file");
  if (descriptor < 0) throw io::InputError(name + ": can't be opened: " + std::strerror(errno));
  struct stat status {};
  std::string header(kHeaderBytes, '\0');
  const bool is_file = ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
  const ssize_t read = is_file ? ::pread(descriptor, header.data(), header.size(), 0) : 0;
  const int error = errno;
  ::close(descriptor);
  if (S_ISDIR(status.st_mode)) throw io::InputError(name + ": is a folder; a file is needed");
  if (!is_file) throw io::InputError(name + ": is not a regular file");
  if (read < 0) throw io::InputError(name + ": can't be read: " + std::strerror(error));
  header.resize(static_cast<std::size_t>(read));
  return header;
}

std::uint32_t application_id(const std::string& header) {
  std::uint32_t id = 0;
  for (std::size_t i = 0; i < sizeof id; ++i) {
    id = id << 8U | static_cast<unsigned char>(header[kApplicationIdAt + i]);
  }
  return id;
}

/// Throws where a file that is there is not this program's.
void require_own(const std::string& name, const std::string& header) {
  if (header.size() < kHeaderBytes || !header.starts_with(kMagic)) {
    throw io::InputError(name + ": is not an SQLite database");
  }
  if (application_id(header) != kApplicationId) {
    throw io::InputError(name +
                         ": is not a results file of a sweep (an SQLite database of another program, or of "
                         "an older version of this one)");
  }
}

void make_empty_file(const std::filesystem::path& file) {
  std::error_code ignored;  // what fails is said below
  if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path(), ignored);
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor < 0 && errno == EEXIST) throw io::InputError(file.string() + ": already exists");
  if (descriptor < 0) {
    throw io::InputError(file.string() + ": can't be opened or written (" + std::strerror(errno) + ")");
  }
  ::close(descriptor);
}

}  // namespace

void require_file_name(const std::string& name) {
  if (name.empty()) throw io::InputError("the results need the name of a file, found ''");
  if (name.starts_with(":") || name.starts_with("file:")) {
    throw io::InputError(name + ": is not the name of a file; for a file of that name, write './" + name +
                         "'");
  }
}

Database::Database(std::filesystem::path file, Access access) : file_(std::move(file)) {
  const std::string name = file_.string();
  require_file_name(name);
  if (access == Access::create) make_empty_file(file_);
  const std::string header = read_header(name);
  const bool is_new = access != Access::read && header.empty();
  if (!is_new) require_own(name, header);
  open(access);
  if (access == Access::read) {
    Query(*this, "SELECT count(*) FROM sqlite_master").step();  // says at once what can't be read
  } else {
    begin_writing(is_new);
  }
}

void Database::open(Access access) {
  const int flags = access == Access::read ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  sqlite3* connection = nullptr;
  const int result = ::sqlite3_open_v2(file_.c_str(), &connection, flags, nullptr);
  connection_.reset(connection);
  if (result != SQLITE_OK) fail();
  ::sqlite3_extended_result_codes(connection, 1);
  // Nothing in the schema of a file is run, however it came there.
  ::sqlite3_db_config(connection, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  ::sqlite3_db_config(connection, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  ::sqlite3_db_config(connection, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  ::sqlite3_db_config(connection, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
}

void Database::begin_writing(bool is_new) {
  // Exclusive from the start, so that it works on network file systems and a second writer is told at once.
  execute("PRAGMA locking_mode = EXCLUSIVE");
  // Before all else, so that whatever a kill leaves is known as ours. What it has left may be the file's very
  // first change, half done: then the file is empty again.
  if (is_new || is_rolled_back()) execute("PRAGMA application_id = " + std::to_string(kApplicationId));
  // A write-ahead log: a transaction costs no sync, and what is committed survives the death of the process.
  execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE; COMMIT;");
}

bool Database::is_rolled_back() {
  Query id(*this, "PRAGMA application_id");
  return id.step() && id.integer(0) != kApplicationId;
}

void Database::execute(const std::string& sql) {
  if (::sqlite3_exec(connection_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) fail();
}

void Database::require_undamaged() {
  Query check(*this, "PRAGMA quick_check(1)");
  if (check.step() && check.text(0) != "ok") {
    throw io::InputError(file_.string() + ": is damaged (" + check.text(0) + ")");
  }
}

void Database::make_single_file() {
  execute("PRAGMA journal_mode = DELETE");
  std::error_code ignored;  // one who has read a killed writer's log may have left its index
  std::filesystem::remove(file_.string() + "-shm", ignored);
}

void Database::fail() const {
  const std::string name = file_.string();
  switch (::sqlite3_errcode(connection_.get()) & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      throw io::InputError(name + ": is in use by another process");
    case SQLITE_NOTADB:
      throw io::InputError(name + ": is not an SQLite database");
    case SQLITE_CORRUPT:
      throw io::InputError(name + ": is damaged (" + ::sqlite3_errmsg(connection_.get()) + ")");
    case SQLITE_FULL:
      throw io::InputError(name + ": the disk is full; what was finished is safe, `--resume` goes on");
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
      throw io::InputError(name + ": can't be opened or written (" + ::sqlite3_errmsg(connection_.get()) +
                           ")");
    case SQLITE_IOERR:
      throw io::InputError(name + ": can't be written (" + ::sqlite3_errmsg(connection_.get()) +
                           "); what was finished is safe, `--resume` goes on");
    default:
      throw io::InputError(name + ": " + ::sqlite3_errmsg(connection_.get()));
  }
}

void Database::Closer::operator()(sqlite3* connection) const { ::sqlite3_close(connection); }

Query::Query(Database& database, const std::string& sql) : database_(database) {
  sqlite3_stmt* statement = nullptr;
  const int result = ::sqlite3_prepare_v2(database.connection_.get(), sql.c_str(), -1, &statement, nullptr);
  statement_.reset(statement);
  check(result);
}

Query& Query::check(int result) {
  if (result != SQLITE_OK) database_.fail();
  return *this;
}

Query& Query::bind(std::int64_t value) {
  return check(::sqlite3_bind_int64(statement_.get(), ++bound_, value));
}

Query& Query::bind(double value) {
  if (std::isnan(value)) return bind_null();
  return check(::sqlite3_bind_double(statement_.get(), ++bound_, value));
}

Query& Query::bind(std::string_view value) {
  return check(::sqlite3_bind_text(statement_.get(), ++bound_, value.data(), static_cast<int>(value.size()),
                                   SQLITE_TRANSIENT));
}

Query& Query::bind_null() { return check(::sqlite3_bind_null(statement_.get(), ++bound_)); }

Query& Query::bind_copy(const Query& row, int column) {
  return check(
      ::sqlite3_bind_value(statement_.get(), ++bound_, ::sqlite3_column_value(row.statement_.get(), column)));
}

bool Query::step() {
  const int result = ::sqlite3_step(statement_.get());
  if (result == SQLITE_ROW) return true;
  const bool good = result == SQLITE_DONE;
  if (!good) database_.fail();
  reset();
  return false;
}

void Query::reset() {
  ::sqlite3_reset(statement_.get());
  ::sqlite3_clear_bindings(statement_.get());
  bound_ = 0;
}

void Query::run() {
  while (step()) {
  }
}

int Query::columns() const { return ::sqlite3_column_count(statement_.get()); }
std::string Query::name(int column) const { return ::sqlite3_column_name(statement_.get(), column); }

bool Query::is_null(int column) const {
  return ::sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

std::int64_t Query::integer(int column) const { return ::sqlite3_column_int64(statement_.get(), column); }

double Query::number(int column) const {
  if (is_null(column)) return std::numeric_limits<double>::quiet_NaN();
  return ::sqlite3_column_double(statement_.get(), column);
}

std::string Query::text(int column) const {
  const auto* text = reinterpret_cast<const char*>(::sqlite3_column_text(statement_.get(), column));
  if (text == nullptr) return {};
  return {text, static_cast<std::size_t>(::sqlite3_column_bytes(statement_.get(), column))};
}

std::string Query::value_text(int column) const {
  const bool is_double = ::sqlite3_column_type(statement_.get(), column) == SQLITE_FLOAT;
  return is_double ? io::shortest(number(column)) : text(column);
}

bool Query::same_row(const Query& other) const {
  if (columns() != other.columns()) return false;
  for (int c = 0; c < columns(); ++c) {
    const int type = ::sqlite3_column_type(statement_.get(), c);
    if (type != ::sqlite3_column_type(other.statement_.get(), c)) return false;
    const bool same = type == SQLITE_NULL      ? true
                      : type == SQLITE_INTEGER ? integer(c) == other.integer(c)
                      : type == SQLITE_FLOAT   ? number(c) == other.number(c)
                                               : text(c) == other.text(c);
    if (!same) return false;
  }
  return true;
}

void Query::Finaliser::operator()(sqlite3_stmt* statement) const { ::sqlite3_finalize(statement); }

}  // namespace fluidbatch::sim
