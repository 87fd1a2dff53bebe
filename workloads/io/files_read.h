// Which files were read and what was in them: all that a result depends on besides its configuration.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

namespace fluidbatch::io {

/// Absolute paths, each with the hash of the file's content.
using FileHashes = std::map<std::string, std::string>;

/// 32 hexadecimal digits (XXH3, 128 bits) that tell this content from any other that occurs.
std::string content_hash(std::string_view content);

/// Notes every file that read_file reads for as long as it lives. Several may be nested, and each notes all:
/// so nothing that a configuration names is forgotten, however it is named. For one thread.
class FilesRead {
 public:
  FilesRead();
  FilesRead(const FilesRead&) = delete;
  FilesRead& operator=(const FilesRead&) = delete;
  ~FilesRead();

  [[nodiscard]] const FileHashes& hashes() const { return hashes_; }

  /// For read_file. Throws InputError where the file had another content when it was noted before.
  static void note(const std::filesystem::path& file, std::string_view content);
  /// The same for data that a configuration names and that are in no file, under a name that is no path.
  static void note_data(const std::string& name, std::string_view content);

 private:
  static void note_as(const std::string& key, const std::string& shown, std::string_view content);

  static thread_local FilesRead* innermost_;

  FilesRead* outer_;
  FileHashes hashes_;
};

}  // namespace fluidbatch::io
