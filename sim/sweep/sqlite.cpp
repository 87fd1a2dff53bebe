#include "sim/sweep/sqlite.h"

#include <cmath>
#include <limits>
#include <sqlite3.h>
#include <utility>

#include "workloads/io/input_error.h"

namespace fluidbatch::sim {

Database::Database(std::filesystem::path file, Access access) : file_(std::move(file)) {
  std::error_code ignored;
  const bool there = std::filesystem::exists(file_, ignored);
  if (access == Access::create && there) throw io::InputError(file_.string() + ": is there already");
  if (access != Access::create && !there) throw io::InputError(file_.string() + ": no such file");
  if (access == Access::create && file_.has_parent_path()) {
    std::filesystem::create_directories(file_.parent_path(), ignored);  // what fails is said below
  }
  const int flags = access == Access::read    ? SQLITE_OPEN_READONLY
                    : access == Access::write ? SQLITE_OPEN_READWRITE
                                              : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  sqlite3* connection = nullptr;
  const int result = ::sqlite3_open_v2(file_.c_str(), &connection, flags, nullptr);
  connection_.reset(connection);
  if (result != SQLITE_OK) fail();
  ::sqlite3_extended_result_codes(connection, 1);
  if (access == Access::read) {
    Query(*this, "SELECT count(*) FROM sqlite_master").step();  // tells a database from something else
    return;
  }
  // A write-ahead log: a transaction costs no sync, and what is committed survives the death of the process.
  // Exclusive from the start, so that it works on network file systems and a second writer is told at once.
  execute(
      "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; "
      "BEGIN IMMEDIATE; COMMIT;");
}

void Database::execute(const std::string& sql) {
  if (::sqlite3_exec(connection_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) fail();
}

void Database::fail() const {
  const std::string name = file_.string();
  switch (::sqlite3_errcode(connection_.get()) & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      throw io::InputError(name + ": is in use by another process");
    case SQLITE_NOTADB:
      throw io::InputError(name + ": is no SQLite database");
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

bool Query::step() {
  const int result = ::sqlite3_step(statement_.get());
  if (result == SQLITE_ROW) return true;
  const bool good = result == SQLITE_DONE;
  if (!good) database_.fail();
  ::sqlite3_reset(statement_.get());
  ::sqlite3_clear_bindings(statement_.get());
  bound_ = 0;
  return false;
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

bool Query::is_number(int column) const {
  const int type = ::sqlite3_column_type(statement_.get(), column);
  return type == SQLITE_INTEGER || type == SQLITE_FLOAT;
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

void Query::Finaliser::operator()(sqlite3_stmt* statement) const { ::sqlite3_finalize(statement); }

}  // namespace fluidbatch::sim
