// A file that appears whole, at the end, or not at all.
#pragma once

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace fluidbatch::sim {

/// What becomes of a file that already exists under an output's name.
enum class Existing { replace, refuse };

/// Text is written beside the file, as NAME.part-PROCESS, and gets the file's name when it is closed: until
/// then, and where anything fails, the earlier contents stay as they were and nothing half-written is left.
/// A symbolic link is itself replaced, not what it points to; one to a device or to what a process has open,
/// such as /dev/stdout, is refused.
///
/// All members throw io::InputError, with the system's reason: where the file can't be made, written (a full
/// disk) or closed, where its name is taken by something that is not a regular file, or by anything for
/// Existing::refuse.
class OutputFile {
 public:
  explicit OutputFile(const std::filesystem::path& path, Existing existing = Existing::replace);
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  ~OutputFile();

  /// Adds text at the end.
  void write(std::string_view text);
  /// Must be called at the end: only then is there a file.
  void close();

 private:
  void open_beside();
  [[noreturn]] void fail() const;

  struct Closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  std::string path_;
  Existing existing_;
  std::string beside_;  // empty when nothing is left there
  std::unique_ptr<std::FILE, Closer> file_;
};

/// Writes `text` as the whole of a file.
void write_file(const std::filesystem::path& path, std::string_view text,
                Existing existing = Existing::replace);

}  // namespace fluidbatch::sim
