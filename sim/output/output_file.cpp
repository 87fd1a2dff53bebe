#include "sim/output/output_file.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "workloads/io/input_error.h"

namespace fluidbatch::sim {
namespace {

/// Whether the link leads to what is no file, or is one of those that stand for what a process has open, as
/// /dev/stdout does: replacing it would take it from everybody on the machine.
bool leads_to_no_file(const std::string& link) {
  struct stat status {};
  if (::stat(link.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) return true;
  std::error_code error;
  return std::filesystem::read_symlink(link, error).string().starts_with("/proc/");
}

}  // namespace

OutputFile::OutputFile(const std::filesystem::path& path, Existing existing)
    : path_(path.string()), existing_(existing) {
  struct stat status {};
  if (::lstat(path_.c_str(), &status) == 0) {
    if (existing_ == Existing::refuse) throw io::InputError(path_ + ": already exists");
    if (S_ISDIR(status.st_mode)) throw io::InputError(path_ + ": is a folder, not a file");
    if (S_ISLNK(status.st_mode) && leads_to_no_file(path_)) {
      throw io::InputError(path_ + ": is a link to what is no regular file; give the name of a file");
    }
    if (!S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode)) {
      throw io::InputError(path_ + ": is a pipe or a device; a regular file is needed");
    }
  }
  open_beside();
}

/// Under a name that nobody has: what a killed process with the same number has left there stays.
void OutputFile::open_beside() {
  const std::string stem = path_ + ".part-" + std::to_string(::getpid());
  beside_ = stem;
  int descriptor = -1;
  for (int n = 1;; ++n) {
    descriptor = ::open(beside_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (descriptor >= 0 || errno != EEXIST) break;
    beside_ = stem + "-" + std::to_string(n);
  }
  if (descriptor < 0) {
    beside_.clear();
    fail();
  }
  file_.reset(::fdopen(descriptor, "wb"));
  if (file_) return;
  ::close(descriptor);
  ::unlink(beside_.c_str());
  fail();
}

OutputFile::~OutputFile() {
  if (!beside_.empty()) ::unlink(beside_.c_str());
}

void OutputFile::write(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), file_.get()) != text.size()) fail();
}

void OutputFile::close() {
  if (std::fclose(file_.release()) != 0) fail();
  if (existing_ == Existing::replace) {
    if (::rename(beside_.c_str(), path_.c_str()) != 0) fail();
  } else if (::renameat2(AT_FDCWD, beside_.c_str(), AT_FDCWD, path_.c_str(), RENAME_NOREPLACE) != 0) {
    // Not every file system can keep from replacing what appeared meanwhile.
    if (errno != EINVAL || ::rename(beside_.c_str(), path_.c_str()) != 0) fail();
  }
  beside_.clear();
}

void OutputFile::fail() const { throw io::InputError(path_ + ": can't be written: " + std::strerror(errno)); }

void write_file(const std::filesystem::path& path, std::string_view text, Existing existing) {
  OutputFile file(path, existing);
  file.write(text);
  file.close();
}

}  // namespace fluidbatch::sim
