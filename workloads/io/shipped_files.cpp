#include "workloads/io/shipped_files.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <unistd.h>

#include "workloads/io/absolute_path.h"
#include "workloads/io/installed_copy.h"

namespace fluidbatch::io {
namespace {

namespace fs = std::filesystem;

bool is_path(const std::string& text) {
  return text.find('/') != std::string::npos || text.ends_with(".yaml") || text.ends_with(".yml");
}

constexpr const char* kShare = "share/fluidbatch";

// A function's static, since it is set before this file's own statics may exist.
fs::path& installed_share() {
  static fs::path folder;
  return folder;
}

fs::path& given_prefix() {
  static fs::path folder;
  return folder;
}

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

/// Throws where the file can't be read; what it holds is for its reader to check.
void require_readable(const fs::path& file, const Mark& mark) {
  const int error = ::access(file.c_str(), R_OK) == 0 ? 0 : errno;
  const std::string name = in_quotes(file.string());
  std::error_code ignored;
  if (fs::is_directory(file, ignored)) throw InputError(mark, name + " is a folder, not a file");
  if (error == 0) return;
  if (error == ENOENT || error == ENOTDIR) throw InputError(mark, "no file " + name);
  throw InputError(mark, "the file " + name + " can't be read: " + std::strerror(error));
}

}  // namespace

void set_prefix(const fs::path& folder) { given_prefix() = folder; }

fs::path prefix() {
  if (!given_prefix().empty()) return given_prefix();
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (error) throw InputError("/proc/self/exe, where the program is: can't be read: " + error.message());
  return program.parent_path().parent_path();
}

bool compiled_with(const fs::path& header) {
  fs::path folder = header.lexically_normal();
  for (const char* name : {"installed_copy.h", "io", "workloads", "fluidbatch", "include"}) {
    if (folder.filename() != name) return false;
    folder = folder.parent_path();
  }
  installed_share() = folder / kShare;
  return true;
}

fs::path shipped_folder() {
  if (const char* given = std::getenv("FLUIDBATCH_SHARE"); given != nullptr && *given != '\0') {
    if (is_folder(given)) return absolute_path(given);
    throw InputError("FLUIDBATCH_SHARE: no folder " + in_quotes(given) +
                     "; it must hold the shipped networks, npus and boards");
  }
  if (is_folder(installed_share())) return installed_share();
  fs::path folder = prefix() / kShare;
  if (is_folder(folder)) return folder;
  const std::string& installed = installed_share().string();
  throw InputError((installed.empty() ? "" : installed + ", ") + folder.string() +
                   ": the folder with the shipped networks and NPUs is missing; reinstall the program, "
                   "with its share folder beside bin, or name that folder in FLUIDBATCH_SHARE");
}

std::vector<std::string> shipped_names(const std::string& kind) {
  const fs::path folder = shipped_folder() / kind;
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    if (entry->path().extension() == ".yaml") names.push_back(entry->path().stem().string());
  }
  if (error) {
    throw InputError(folder.string() + ": the folder of the shipped " + kind +
                     " can't be read: " + error.message() + "; reinstall the program");
  }
  std::sort(names.begin(), names.end());
  return names;
}

fs::path resolve_path(const Node& node) {
  if (node.scalar.empty()) throw InputError(node.mark, "a path must not be empty");
  if (node.scalar.find('\0') != std::string::npos) {
    throw InputError(node.mark, "a path can't have a zero byte, found " + in_quotes(node.scalar));
  }
  const fs::path base = node.mark.line == 0 ? fs::path() : fs::path(node.mark.source).parent_path();
  fs::path file = absolute_path(base / node.scalar);
  require_readable(file, node.mark);
  return file;
}

fs::path find_file(const std::string& kind, const Node& name_or_path) {
  const std::string& name = name_or_path.scalar;
  if (is_path(name)) return resolve_path(name_or_path);
  const std::vector<std::string> names = shipped_names(kind);
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    throw InputError(name_or_path.mark, "unknown name " + in_quotes(name) + did_you_mean(name, names) +
                                            "; shipped " + kind + ": " + quoted_list(names) +
                                            ", or give the path of a YAML file");
  }
  return shipped_folder() / kind / (name + ".yaml");
}

std::string portable_name(const std::string& kind, const Node& name_or_path) {
  return is_path(name_or_path.scalar) ? find_file(kind, name_or_path).string() : name_or_path.scalar;
}

}  // namespace fluidbatch::io
