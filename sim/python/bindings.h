// The parts of the Python module's compiled half, each a subject of its own.
#pragma once

#include <pybind11/pybind11.h>

namespace fluidbatch::python {

void bind_errors(pybind11::module_& module);
void bind_runs(pybind11::module_& module);
void bind_intervals(pybind11::module_& module);
void bind_models(pybind11::module_& module);
void bind_plugins(pybind11::module_& module);
void bind_traffic(pybind11::module_& module);
void bind_exit_sources(pybind11::module_& module);
void bind_analyses(pybind11::module_& module);

}  // namespace fluidbatch::python
