#include "workloads/io/input_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "workloads/io/files_read.h"
#include "workloads/io/input_error.h"

namespace fluidbatch::io {
namespace {

/// A file descriptor that is closed whatever happens.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  [[nodiscard]] int number() const { return number_; }

 private:
  int number_;
};

[[noreturn]] void fail(const std::string& name, int error) {
  if (error == ENOENT) throw InputError(name + ": no such file");
  throw InputError(name + ": can't be read: " + std::strerror(error));
}

std::string bytes_text(std::uint64_t bytes) {
  const std::uint64_t mib = std::uint64_t{1} << 20;
  return bytes >= mib ? std::to_string(bytes / mib) + " MiB" : std::to_string(bytes) + " bytes";
}

/// Throws where `status` is not that of a file that can be read to its end.
void require_regular(const struct stat& status, const std::string& name, std::uint64_t most_bytes) {
  if (S_ISDIR(status.st_mode)) throw InputError(name + ": is a folder, not a file");
  if (!S_ISREG(status.st_mode)) throw InputError(name + ": is a pipe or a device; a regular file is needed");
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size > most_bytes) {
    throw InputError(name + ": has " + bytes_text(size) + "; " + bytes_text(most_bytes) + " are allowed");
  }
}

}  // namespace

std::string read_file(const std::filesystem::path& file, std::uint64_t most_bytes) {
  const std::string name = file.string();
  // A pipe without a writer would not even open.
  const Descriptor descriptor(::open(name.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (descriptor.number() < 0) fail(name, errno);
  struct stat status {};
  if (::fstat(descriptor.number(), &status) != 0) fail(name, errno);
  require_regular(status, name, most_bytes);

  // One byte more than there should be, so that a file that grows meanwhile is noticed at its end. Files of
  // /proc say that they have none.
  constexpr std::size_t kLeastRoom = 4096;
  std::string content(std::max(static_cast<std::size_t>(status.st_size) + 1, kLeastRoom), '\0');
  std::size_t size = 0;
  while (true) {
    if (size == content.size()) content.resize(2 * content.size());
    const ssize_t n = ::read(descriptor.number(), content.data() + size, content.size() - size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(name, errno);
    if (n == 0) break;
    size += static_cast<std::size_t>(n);
    if (size > most_bytes) {
      throw InputError(name + ": has more than the " + bytes_text(most_bytes) + " that are allowed");
    }
  }
  content.resize(size);
  FilesRead::note(file, content);
  return content;
}

}  // namespace fluidbatch::io
