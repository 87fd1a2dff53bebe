// `network import`: runs the importer of ONNX models, so that whatever a model does to it ends in a message.
#include <cerrno>
#include <cstring>
#include <spawn.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

#include "sim/cli/commands.h"
#include "sim/models/importer.h"
#include "workloads/io/input_error.h"

namespace fluidbatch::sim::cli {
namespace {

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
  ImportRequest request{
      .model = arguments.model, .out = arguments.out, .exits = arguments.exits, .height_width = {}};
  if (!arguments.input.empty()) request.height_width.emplace(arguments.input.at(0), arguments.input.at(1));
  std::vector<std::string> words = importer_command(request);
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  pid_t child = 0;
  const int error = ::posix_spawn(&child, words.front().c_str(), nullptr, nullptr, pointers.data(), environ);
  if (error != 0) throw importer_not_run(words.front(), error);
  const int status = wait_for(child);
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  throw importer_killed(arguments.model, WTERMSIG(status));
}

}  // namespace fluidbatch::sim::cli
