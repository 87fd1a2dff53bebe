#include "sim/models/importer.h"

#include <cerrno>
#include <csignal>
#include <cstring>

#include <fmt/format.h>

#include "workloads/io/shipped_files.h"

namespace fluidbatch::sim {

std::vector<std::string> importer_command(const ImportRequest& request) {
  const std::string program = (io::prefix() / "libexec" / "fluidbatch" / "network-import").string();
  std::vector<std::string> words{program, request.model, request.out};
  words.push_back(request.height_width ? std::to_string(request.height_width->first) : "");
  words.push_back(request.height_width ? std::to_string(request.height_width->second) : "");
  for (std::string layer : request.exits) {
    if (layer.starts_with("after=")) layer.erase(0, std::string("after=").size());
    words.push_back(layer);
  }
  return words;
}

io::InputError importer_not_run(const std::string& program, int error) {
  return io::InputError(program + ": the importer of ONNX models can't be run: " + std::strerror(error) +
                        (error == ENOENT ? "; `make importer` builds it" : ""));
}

io::InputError importer_killed(const std::string& model, int signal) {
  if (signal == SIGXCPU || signal == SIGKILL) {
    return io::InputError(model +
                          ": not imported: it takes more than a minute of processor time, or was stopped");
  }
  return io::InputError(fmt::format("{}: not imported: the importer stopped with signal {} ({}) on it", model,
                                    signal, ::strsignal(signal)));
}

}  // namespace fluidbatch::sim
