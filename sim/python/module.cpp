// `fluidbatch._core`, the compiled half of the Python module.
#include "sim/python/bindings.h"
#include "sim/python/fork.h"
#include "sim/version.h"
#include "workloads/io/shipped_files.h"

PYBIND11_MODULE(_core, module) {  // NOLINT(*-identifier-naming): its name is pybind11's
  namespace py = pybind11;
  using namespace fluidbatch;
  module.doc() = "The compiled half of fluidbatch; use the package around it.";
  module.attr("version") = sim::kVersion;
  module.def(
      "use_prefix", [](const std::string& folder) { io::set_prefix(folder); }, py::arg("folder"),
      "Says where share/fluidbatch and libexec/fluidbatch are: in this folder.");
  python::bind_errors(module);
  python::bind_runs(module);
  python::bind_models(module);
  python::bind_plugins(module);
  python::bind_analyses(module);
  python::fork_as_python_does();
}
