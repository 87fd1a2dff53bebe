// Output files: whole at the end, or not there, and nothing of what was there before is lost.
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <string>
#include <sys/resource.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "sim/output/output_file.h"
#include "tests/support/run_helpers.h"
#include "workloads/io/input_file.h"

using namespace fluidbatch;
using Catch::Contains;
using sim::Existing;

namespace {

namespace fs = std::filesystem;

int entries(const fs::path& folder) {
  return static_cast<int>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

/// While it lives no file may grow beyond `bytes`, as on a disk that is full.
class SmallFiles {
 public:
  explicit SmallFiles(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  SmallFiles(const SmallFiles&) = delete;
  SmallFiles& operator=(const SmallFiles&) = delete;
  ~SmallFiles() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  void (*handler_)(int);
  rlimit before_{};
};

}  // namespace

TEST_CASE("an output file appears when it is closed", "[output]") {
  const test::TemporaryFolder folder;
  const fs::path old = folder.write("a.txt", "old");
  {
    sim::OutputFile file(old);
    file.write("new");
    CHECK(io::read_file(old) == "old");
    file.close();
    CHECK(io::read_file(old) == "new");
  }
  { sim::OutputFile(old).write("never closed"); }
  CHECK(io::read_file(old) == "new");
  CHECK(entries(old.parent_path()) == 1);
}

TEST_CASE("a disk that is full leaves what was there, and nothing else", "[output]") {
  const test::TemporaryFolder folder;
  const fs::path old = folder.write("a.txt", "old");
  const fs::path fresh = old.parent_path() / "b.txt";
  const std::string much(100'000, 'x');
  {
    const SmallFiles limit(4096);
    CHECK_THROWS_WITH(sim::write_file(old, much), Contains("a.txt: can't be written: File too large"));
    CHECK_THROWS_WITH(sim::write_file(fresh, much, Existing::refuse), Contains("b.txt: can't be written"));
  }
  CHECK(io::read_file(old) == "old");
  CHECK(entries(old.parent_path()) == 1);
  sim::write_file(fresh, much, Existing::refuse);  // the failed try does not block the next one
  CHECK(io::read_file(fresh) == much);
}

TEST_CASE("an output file leaves links to devices and to what is open as they are", "[output]") {
  const test::TemporaryFolder folder;
  const fs::path open = folder.write("open.txt", "keep");
  const int descriptor = ::open(open.c_str(), O_RDONLY | O_CLOEXEC);
  REQUIRE(descriptor >= 0);
  for (const std::string& target : {std::string("/dev/null"), "/proc/self/fd/" + std::to_string(descriptor),
                                    open.parent_path().string()}) {
    const fs::path link = open.parent_path() / "link";
    fs::create_symlink(target, link);
    CHECK_THROWS_WITH(sim::write_file(link, "new"), Contains("link: is a link to what is no regular file"));
    CHECK(fs::read_symlink(link) == target);
    fs::remove(link);
  }
  ::close(descriptor);
  CHECK(io::read_file(open) == "keep");
}

TEST_CASE("an output file takes no name that is not its own", "[output]") {
  const test::TemporaryFolder folder;
  const fs::path target = folder.write("target.txt", "keep");
  const fs::path link = target.parent_path() / "link.txt";
  fs::create_symlink(target, link);
  CHECK_THROWS_WITH(sim::write_file(link, "new", Existing::refuse), Contains("link.txt: already exists"));
  CHECK_THROWS_WITH(sim::write_file(target, "new", Existing::refuse), Contains("target.txt: already exists"));
  sim::write_file(link, "new");
  CHECK(io::read_file(target) == "keep");
  CHECK(io::read_file(link) == "new");
  CHECK_THROWS_WITH(sim::write_file(target.parent_path(), ""), Contains("is a folder"));
  CHECK_THROWS_WITH(sim::write_file("/dev/full", ""), Contains("is a pipe or a device"));
  CHECK_THROWS_WITH(sim::write_file(target.parent_path() / std::string(300, 'n'), ""),
                    Contains("can't be written: File name too long"));
  CHECK_THROWS_WITH(sim::write_file(target / "below", ""), Contains("can't be written: Not a directory"));
}
