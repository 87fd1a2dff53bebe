#include "sim/python/plugins.h"

#include "sim/python/bindings.h"
#include "sim/python/plugins_decision.h"
#include "sim/python/plugins_table.h"
#include "sim/python/plugins_view.h"

namespace fluidbatch::python {

void bind_plugins(pybind11::module_& module) {
  bind_tables(module);
  bind_decisions(module);
  bind_server_view(module);
  bind_python_policies(module);
  bind_python_routers(module);
  bind_python_arbiters(module);
  bind_python_exit_controls(module);
}

}  // namespace fluidbatch::python
