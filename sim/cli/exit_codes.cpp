#include "sim/cli/exit_codes.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fcntl.h>
#include <new>
#include <optional>
#include <system_error>
#include <unistd.h>

#include "scheduler/policy_error.h"
#include "sim/drive/users_error.h"

namespace fluidbatch::sim::cli {
namespace {

/// A file that is opened while stdin, stdout or stderr is closed would become that, and get its text.
void open_standard_streams() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(descriptor, F_GETFD) < 0 && ::open("/dev/null", O_RDWR) < 0) return;
  }
}

/// Writing beyond a limit, or to a reader who is gone, is then an error like others, at its place.
void ignore_signals_of_writing() {
  std::signal(SIGXFSZ, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
}

bool out_of_memory = false;

/// Memory can run out where no exception may pass, or where there is none left for the exception itself.
[[noreturn]] void end_without_memory() {
  if (!out_of_memory) std::abort();
  std::fputs(kNoMemory, stderr);
  std::fputs("\n", stderr);
  std::_Exit(kUserError);
}

void notice_lack_of_memory() {
  std::set_new_handler([] {
    out_of_memory = true;
    throw std::bad_alloc();
  });
  std::set_terminate(end_without_memory);
}

int stdout_error(int reason) {
  if (reason == EPIPE) {  // `| head` has seen enough; end as other programs do
    std::signal(SIGPIPE, SIG_DFL);
    std::raise(SIGPIPE);
  }
  note("the output can't be written: {}\n", std::strerror(reason));
  return kUserError;
}

}  // namespace

int exit_code_of(const std::function<int()>& program) {
  open_standard_streams();
  ignore_signals_of_writing();
  notice_lack_of_memory();
  int code = kBug;
  try {
    code = program();
  } catch (const std::exception& error) {
    const auto* system_error = dynamic_cast<const std::system_error*>(&error);
    if (std::ferror(stdout) != 0) {
      return stdout_error(system_error != nullptr ? system_error->code().value() : errno);
    }
    if (const std::optional<std::string> text = users_error(error)) {
      note(*text + "\n");
      return kUserError;
    }
    if (dynamic_cast<const scheduler::PolicyError*>(&error) != nullptr) {
      note(std::string(error.what()) + "\n");
      return kBug;
    }
    note("fluidbatch: internal error, please report it: {}\n", error.what());
    return kBug;
  }
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
  return stdout_error(errno);
}

void note(const std::string& text) {
  std::fputs(text.c_str(), stderr);
  std::fflush(stderr);
}

}  // namespace fluidbatch::sim::cli
