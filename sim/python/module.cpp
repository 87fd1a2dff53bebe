// `fluidbatch._core`, the compiled half of the Python module.
#include <pybind11/numpy.h>

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
  module.def(
      "use_numpy", [] { py::detail::npy_api::get(); },
      "Looks NumPy's functions up, which one thread has to do before several have arrays.");
  python::bind_errors(module);
  python::bind_runs(module);
  python::bind_intervals(module);
  python::bind_models(module);
  python::bind_plugins(module);
  python::bind_traffic(module);
  python::bind_exit_sources(module);
  python::bind_analyses(module);
  python::fork_as_python_does();
}
