#include "workloads/io/shipped_files.h"

#include <algorithm>

namespace fluidbatch::io {
namespace {

namespace fs = std::filesystem;

bool is_path(const std::string& text) {
  return text.find('/') != std::string::npos || text.ends_with(".yaml") || text.ends_with(".yml");
}

}  // namespace

fs::path prefix() { return fs::read_symlink("/proc/self/exe").parent_path().parent_path(); }

fs::path shipped_folder() {
  fs::path folder = prefix() / "share" / "fluidbatch";
  if (!fs::is_directory(folder)) {
    throw InputError(folder.string() + ": the folder with the shipped networks and NPUs is missing");
  }
  return folder;
}

std::vector<std::string> shipped_names(const std::string& kind) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(shipped_folder() / kind)) {
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

fs::path resolve_path(const Node& node) {
  const fs::path path = node.scalar;
  if (path.is_absolute()) return path.lexically_normal();
  const fs::path base = node.mark.line == 0 ? fs::path() : fs::path(node.mark.source).parent_path();
  return fs::absolute(base / path).lexically_normal();
}

fs::path find_file(const std::string& kind, const Node& name_or_path) {
  const std::string& name = name_or_path.scalar;
  if (is_path(name)) {
    fs::path file = resolve_path(name_or_path);
    if (!fs::is_regular_file(file)) {
      throw InputError(name_or_path.mark, "no file '" + file.string() + "'");
    }
    return file;
  }
  const std::vector<std::string> names = shipped_names(kind);
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    throw InputError(name_or_path.mark, "unknown name '" + name + "'" + did_you_mean(name, names) +
                                            "; shipped " + kind + ": " + quoted_list(names) +
                                            ", or give the path of a YAML file");
  }
  return shipped_folder() / kind / (name + ".yaml");
}

std::string portable_name(const std::string& kind, const Node& name_or_path) {
  return is_path(name_or_path.scalar) ? find_file(kind, name_or_path).string() : name_or_path.scalar;
}

}  // namespace fluidbatch::io
