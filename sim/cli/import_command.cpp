// `network import`: runs the importer of ONNX models, so that whatever a model does to it ends in a message.
#include <cerrno>
#include <csignal>
#include <cstring>
#include <spawn.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

#include "sim/cli/commands.h"
#include "sim/cli/exit_codes.h"
#include "workloads/io/input_error.h"
#include "workloads/io/shipped_files.h"

namespace fluidbatch::sim::cli {
namespace {

std::vector<std::string> command_of(const NetworkImportArguments& arguments, const std::string& program) {
  std::vector<std::string> words{program, arguments.model, arguments.out};
  const bool sized = !arguments.input.empty();
  words.push_back(sized ? std::to_string(arguments.input.at(0)) : "");
  words.push_back(sized ? std::to_string(arguments.input.at(1)) : "");
  for (std::string layer : arguments.exits) {
    if (layer.starts_with("after=")) layer.erase(0, std::string("after=").size());
    words.push_back(layer);
  }
  return words;
}

/// Waits for `child`; its status as `waitpid` gives it.
int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR)
      throw io::InputError(fmt::format("the importer can't be waited for: {}", std::strerror(errno)));
  }
  return status;
}

}  // namespace

int network_import(const NetworkImportArguments& arguments) {
  const std::string program = (io::prefix() / "libexec" / "fluidbatch" / "network-import").string();
  std::vector<std::string> words = command_of(arguments, program);
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  pid_t child = 0;
  const int error = ::posix_spawn(&child, program.c_str(), nullptr, nullptr, pointers.data(), environ);
  if (error != 0) {
    throw io::InputError(program + ": the importer of ONNX models can't be run: " + std::strerror(error) +
                         (error == ENOENT ? "; `make importer` builds it" : ""));
  }
  const int status = wait_for(child);
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  const int signal = WTERMSIG(status);
  if (signal == SIGXCPU || signal == SIGKILL) {
    throw io::InputError(arguments.model +
                         ": not imported: it takes more than a minute of processor time, or was stopped");
  }
  throw io::InputError(fmt::format("{}: not imported: the importer stopped with signal {} ({}) on it",
                                   arguments.model, signal, ::strsignal(signal)));
}

}  // namespace fluidbatch::sim::cli
