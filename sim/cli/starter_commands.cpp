// What a start needs: schemas of the files, and files to start from.
#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "sim/cli/commands.h"
#include "sim/config/plugins.h"
#include "sim/output/output_file.h"
#include "sim/schema/json_schema.h"
#include "workloads/io/input_file.h"
#include "workloads/io/shipped_files.h"

namespace fluidbatch::sim::cli {
namespace {

namespace fs = std::filesystem;

/// A file to write: its path below the folder, and what is in it.
using StarterFile = std::pair<fs::path, std::string>;

std::vector<StarterFile> starter_files() {
  const fs::path starter = io::shipped_folder() / "starter";
  std::error_code error;
  std::vector<StarterFile> files;
  for (auto entry = fs::recursive_directory_iterator(starter, error);
       !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    if (entry->is_regular_file()) {
      files.emplace_back(fs::relative(entry->path(), starter), io::read_file(entry->path()));
    }
  }
  if (error || files.empty()) throw io::InputError("init: no files to start from in " + starter.string());
  for (const std::string& kind : schema_kinds()) {
    files.emplace_back(fs::path("schemas") / (kind + ".schema.json"), json_schema(schema_kind(kind)) + "\n");
  }
  std::ranges::sort(files);
  return files;
}

}  // namespace

void schema(const std::string& kind, const std::vector<std::string>& plugins) {
  const FileKind file_kind = schema_kind(kind);
  for (const std::string& plugin : plugins) load_plugin(argument("--plugin", plugin));
  fmt::print("{}\n", json_schema(file_kind));
}

void init(const std::string& folder) {
  const std::vector<StarterFile> files = starter_files();
  const fs::path root = folder;
  for (const auto& [path, text] : files) {
    std::error_code error;
    if (fs::symlink_status(root / path, error).type() == fs::file_type::not_found) continue;
    throw io::InputError("init: '" + (root / path).string() + "' is there already" +
                         (error ? " (" + error.message() + ")" : "") + "; nothing was written");
  }
  for (const auto& [path, text] : files) {
    std::error_code error;
    fs::create_directories((root / path).parent_path(), error);
    if (error) {
      throw io::InputError("init: no folder '" + (root / path).parent_path().string() +
                           "': " + error.message());
    }
    write_file(root / path, text, Existing::refuse);
    fmt::print("{}\n", (root / path).string());
  }
  fmt::print("\nGo on with {}\n", (root / "README.md").string());
}

}  // namespace fluidbatch::sim::cli
