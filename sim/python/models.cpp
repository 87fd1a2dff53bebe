#include "sim/python/bindings.h"

namespace fluidbatch::python {

void bind_models(pybind11::module_& /*module*/) {}

}  // namespace fluidbatch::python
