#include "sim/python/configuration.h"

#include <dlfcn.h>
#include <utility>

#include <pybind11/stl/filesystem.h>

#include "sim/config/file_kind.h"
#include "sim/config/overrides.h"
#include "sim/python/conversion.h"
#include "workloads/io/input_error.h"

namespace fluidbatch::python {
namespace {

namespace py = pybind11;

bool is_path(py::handle value) { return py::isinstance<py::str>(value) || py::hasattr(value, "__fspath__"); }

/// Plug-ins take their symbols from the program. Here they are in this module, which Python has loaded for
/// itself alone.
void show_symbols_to_plugins() {
  Dl_info self{};
  if (::dladdr(reinterpret_cast<const void*>(&show_symbols_to_plugins), &self) == 0) return;
  ::dlopen(self.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_GLOBAL);
}

}  // namespace

io::Node document_of(py::handle configuration, const py::dict& overrides) {
  io::Node document;
  if (is_path(configuration)) {
    const auto file = py::str(configuration).cast<std::filesystem::path>();
    document = sim::load_document(file, sim::FileKind::run);
  } else if (py::isinstance<py::dict>(configuration)) {
    document = node_of(configuration, "config");
  } else {
    throw io::InputError("a configuration is a path or a dict, found " +
                         std::string(py::repr(configuration)));
  }
  override_values(document, overrides);
  return document;
}

void override_values(io::Node& document, const py::dict& overrides) {
  for (const auto& [key, value] : overrides) {
    const auto name = py::str(key).cast<std::string>();
    const io::Mark mark{.source = "set['" + name + "']", .line = 0, .column = 0};
    sim::set_value(document, name, node_of(value, mark.source), mark);
  }
  if (document.find("plugins") != nullptr) show_symbols_to_plugins();
}

std::shared_ptr<Configuration> read_configuration(py::handle configuration, const py::dict& overrides,
                                                  bool audit) {
  auto read = std::make_shared<Configuration>();
  if (is_path(configuration)) read->file = py::str(configuration).cast<std::filesystem::path>();
  read->document = document_of(configuration, overrides);
  read->config = sim::read_run_config(read->document);
  read->config.audit = audit;
  return read;
}

}  // namespace fluidbatch::python
