#include "sim/python/analyses.h"

#include "sim/python/bindings.h"
#include "sim/python/supervise.h"

namespace fluidbatch::python {

void bind_analyses(pybind11::module_& module) {
  bind_sweeps(module);
  bind_comparisons(module);
  bind_capacities(module);
  bind_tails(module);
  bind_optima(module);
}

void work_beside(sim::RunWatch& watch, const std::function<void()>& work, const std::function<void()>& poll) {
  supervise({work}, 1, poll, [&] { watch.stop = true; });
}

}  // namespace fluidbatch::python
