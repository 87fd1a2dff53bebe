#include "sim/python/bindings.h"

namespace fluidbatch::python {

void bind_analyses(pybind11::module_& /*module*/) {}

}  // namespace fluidbatch::python
