#include "sim/config/file_kind.h"

#include <algorithm>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "workloads/io/input_error.h"

namespace fluidbatch::sim {
namespace {

struct Kind {
  FileKind kind;
  std::vector<std::string> keys;  ///< that no other kind has: one of them tells
  std::string what;
  std::string taken_by;  ///< a command, FILE standing for the file
};

const std::vector<Kind>& all_kinds() {
  static const std::vector<Kind> kinds{
      {FileKind::run, {"workload", "systems"}, "the configuration of a run", "`fluidbatch run FILE`"},
      {FileKind::sweep,
       {"axes", "replications", "until"},
       "a sweep",
       "`fluidbatch sweep FILE --out RESULTS.sqlite`"},
      {FileKind::network, {"layers", "exits"}, "a network", "`fluidbatch network show FILE`"},
      {FileKind::npu,
       {"t_r", "t_p", "t_c"},
       "an NPU",
       "`fluidbatch npu table --network N --npu FILE --max-batch B`"},
      {FileKind::board, {"dsps"}, "a board", "`fluidbatch npu search --network N --board FILE`"}};
  return kinds;
}

bool tells(const Kind& kind, const io::Node& document) {
  return std::ranges::any_of(kind.keys,
                             [&](const std::string& key) { return document.find(key) != nullptr; });
}

/// Whether it is a database of SQLite, which results of sweeps are; false where it can't be read.
bool is_database(const std::filesystem::path& file) {
  constexpr std::string_view kBegin = "SQLite format 3";
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) return false;  // a pipe would be waited for
  std::string begin(kBegin.size(), ' ');
  std::ifstream(file, std::ios::binary).read(begin.data(), static_cast<std::streamsize>(begin.size()));
  return begin == kBegin;
}

void require_kind(const io::Node& document, FileKind wanted, const std::filesystem::path& file) {
  const std::vector<Kind>& kinds = all_kinds();
  const Kind& right = *std::ranges::find(kinds, wanted, &Kind::kind);
  if (tells(right, document)) return;
  const auto found = std::ranges::find_if(kinds, [&](const Kind& kind) { return tells(kind, document); });
  if (found == kinds.end()) return;
  std::string command = found->taken_by;
  command.replace(command.find("FILE"), 4, file.string());
  throw io::InputError(document.mark, "this file is " + found->what + ", which " + command + " takes; " +
                                          right.what + " has '" + right.keys.front() + "'");
}

}  // namespace

io::Node load_document(const std::filesystem::path& file, FileKind wanted) {
  if (is_database(file)) {
    const std::string name = file.string();
    throw io::InputError(name +
                         ": this file is a database, such as the results of a sweep, and not YAML; "
                         "`fluidbatch run " +
                         name + " --point N` runs a point of it again, `fluidbatch sweep report " + name +
                         " --out FILE.html` makes a page of it, `fluidbatch compare " + name +
                         " --metric NAME` a table");
  }
  io::Node document = io::load_yaml(file);
  require_kind(document, wanted, file);
  return document;
}

}  // namespace fluidbatch::sim
