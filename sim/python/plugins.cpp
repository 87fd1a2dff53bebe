#include "sim/python/bindings.h"

namespace fluidbatch::python {

void bind_plugins(pybind11::module_& /*module*/) {}

}  // namespace fluidbatch::python
