// SQLite behind types that close what they open and throw what goes wrong. The one place that knows its API.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace fluidbatch::sim {

/// Throws InputError where `name` is empty, or SQLite would take it for something else than a file: what is
/// written there would be lost.
void require_file_name(const std::string& name);

/// One database file of this program's own, known by the application id in its header. All functions throw
/// io::InputError, with the file's name, where SQLite fails: locked by another process, damaged, a full disk,
/// a folder that can't be written.
///
/// A file is not trusted. Before SQLite sees it, its header is read: another program's file is refused as it
/// is, without a log or a lock beside it. Afterwards no trigger and no view of the file's is ever run.
class Database {
 public:
  enum class Access { read, write, create };

  /// `create` makes a file that must not exist yet, and its folder; `write` also takes an empty one. A
  /// writer keeps all others out for as long as it lives.
  Database(std::filesystem::path file, Access access);

  /// Statements without results, several joined by semicolons.
  void execute(const std::string& sql);

  /// Looks at every page of the file. Throws io::InputError where one is damaged.
  void require_undamaged();

  /// Of a writer: takes the log in, so that nothing is left beside the file.
  void make_single_file();

  [[nodiscard]] const std::filesystem::path& file() const { return file_; }

 private:
  friend class Query;
  struct Closer {
    void operator()(sqlite3* connection) const;
  };

  void open(Access access);
  [[nodiscard]] bool is_rolled_back();
  void begin_writing(bool is_new);
  [[noreturn]] void fail() const;

  std::filesystem::path file_;
  std::unique_ptr<sqlite3, Closer> connection_;
};

/// One statement, run as often as wanted: bind values in order, then step through its rows.
class Query {
 public:
  Query(Database& database, const std::string& sql);

  Query& bind(std::int64_t value);
  Query& bind(double value);  ///< NaN becomes NULL
  Query& bind(std::string_view value);
  Query& bind_null();
  /// The value, with its type, that another statement's row has in `column`.
  Query& bind_copy(const Query& row, int column);

  /// Goes to the next row; false at the end, after which the statement can be bound again.
  bool step();
  /// For a statement without rows.
  void run();
  /// Leaves a statement that has rows left; it can be bound again.
  void reset();

  [[nodiscard]] int columns() const;
  [[nodiscard]] std::string name(int column) const;
  [[nodiscard]] bool is_null(int column) const;
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] double number(int column) const;  ///< NaN for NULL
  [[nodiscard]] std::string text(int column) const;
  /// A number as the shortest text that reads back to it, anything else as `text`.
  [[nodiscard]] std::string value_text(int column) const;
  /// Whether the row is the same as another statement's, in the values and types of all columns.
  [[nodiscard]] bool same_row(const Query& other) const;

 private:
  struct Finaliser {
    void operator()(sqlite3_stmt* statement) const;
  };

  Query& check(int result);

  Database& database_;
  std::unique_ptr<sqlite3_stmt, Finaliser> statement_;
  int bound_ = 0;
};

}  // namespace fluidbatch::sim
