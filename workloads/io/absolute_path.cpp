#include "workloads/io/absolute_path.h"

#include <system_error>

#include "workloads/io/input_error.h"

namespace fluidbatch::io {
namespace {

namespace fs = std::filesystem;

/// A relative path is one from the current folder.
fs::path from_here(const fs::path& path) {
  if (path.is_absolute()) return path;
  std::error_code error;
  const fs::path folder = fs::current_path(error);
  if (error) throw InputError("the current folder can't be used: " + error.message());
  return folder / path;
}

}  // namespace

fs::path absolute_path(const fs::path& path) {
  fs::path result;
  std::error_code ignored;
  for (const fs::path& part : from_here(path)) {
    const bool removes = part == ".." &&
                         fs::symlink_status(result, ignored).type() == fs::file_type::directory &&
                         result.filename() != "..";
    if (removes) {
      result = result.parent_path();
    } else if (part != ".") {
      result /= part;
    }
  }
  return result;
}

}  // namespace fluidbatch::io
