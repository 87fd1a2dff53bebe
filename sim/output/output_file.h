// A file that is written to its end or fails with a message that says why.
#pragma once

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace fluidbatch::sim {

/// Throws io::InputError where the file can't be opened, written (a full disk) or closed.
class OutputFile {
 public:
  explicit OutputFile(const std::filesystem::path& path);

  void write(std::string_view text);
  /// Must be called at the end: only then is all of it known to be on its way to the disk.
  void close();

 private:
  [[noreturn]] void fail() const;

  struct Closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  std::string path_;
  std::unique_ptr<std::FILE, Closer> file_;
};

/// Writes `text` as the whole of a file.
void write_file(const std::filesystem::path& path, std::string_view text);

}  // namespace fluidbatch::sim
