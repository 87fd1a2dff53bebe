// The importer of ONNX models: how Python calls it, and what its end means.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "sim/models/importer.h"
#include "sim/python/models.h"

namespace fluidbatch::python {
namespace {

namespace py = pybind11;

constexpr std::int64_t kMostPixels = 1 << 16;

/// `input` is None or (height, width).
std::vector<std::string> command_of(const std::string& model, const std::string& out, py::handle exits,
                                    py::handle input) {
  const io::Mark place{.source = "out", .line = 0, .column = 0};
  if (out.empty()) throw io::InputError(place, "must not be empty");
  const std::vector<std::int64_t> sizes = whole_numbers(input, "input", 1, kMostPixels);
  if (!input.is_none() && sizes.size() != 2) {
    throw io::InputError({.source = "input", .line = 0, .column = 0},
                         "must be (height, width), found " + std::string(py::repr(input)));
  }
  sim::ImportRequest request{.model = model, .out = out, .exits = texts(exits, "exits"), .height_width = {}};
  if (!input.is_none()) request.height_width.emplace(sizes[0], sizes[1]);
  return sim::importer_command(request);
}

}  // namespace

void bind_importer(py::module_& module) {
  module.def("importer_command", &command_of, py::arg("model"), py::arg("out"), py::arg("exits"),
             py::arg("input"), "The importer and its arguments.");
  module.def(
      "importer_not_run",
      [](const std::string& program, int error) {
        return std::string(sim::importer_not_run(program, error).what());
      },
      py::arg("program"), py::arg("error"), "The message where the importer can't be run; error: errno.");
  module.def(
      "importer_killed",
      [](const std::string& model, int signal) {
        return std::string(sim::importer_killed(model, signal).what());
      },
      py::arg("model"), py::arg("signal"), "The message where a signal has ended the importer.");
}

}  // namespace fluidbatch::python
