#include "sim/config/file_kind.h"

#include <algorithm>
#include <string>
#include <vector>

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

}  // namespace

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

}  // namespace fluidbatch::sim
