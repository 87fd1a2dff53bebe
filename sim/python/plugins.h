// What configurations name, and Python defines: each kind in a file of its own.
#pragma once

#include <pybind11/pybind11.h>

namespace fluidbatch::python {

// Each of them registers under a name an object of Python's that makes others; the parameters as
// parameters_of (plugins_call.h) reads them.
void bind_python_policies(pybind11::module_& module);
void bind_python_routers(pybind11::module_& module);
void bind_python_arbiters(pybind11::module_& module);
void bind_python_exit_controls(pybind11::module_& module);

}  // namespace fluidbatch::python
