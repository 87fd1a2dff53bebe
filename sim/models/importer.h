// The importer of ONNX models, a program of its own: how it is called, and what its end means.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "workloads/io/input_error.h"

namespace fluidbatch::sim {

struct ImportRequest {
  std::string model;               ///< an ONNX file
  std::string out;                 ///< a YAML file that does not exist yet
  std::vector<std::string> exits;  ///< layers, each perhaps behind `after=`
  std::optional<std::pair<std::int64_t, std::int64_t>> height_width;  ///< where the model leaves it open
};

/// The program and its arguments.
std::vector<std::string> importer_command(const ImportRequest& request);

/// Where `program`, the first word of its command, can't be run: `error` is the system's number.
io::InputError importer_not_run(const std::string& program, int error);

/// Where `signal` has ended it.
io::InputError importer_killed(const std::string& model, int signal);

}  // namespace fluidbatch::sim
