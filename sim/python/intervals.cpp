// Intervals over replications.
#include <vector>

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "sim/measure/confidence.h"
#include "sim/python/bindings.h"

namespace fluidbatch::python {

void bind_intervals(pybind11::module_& module) {
  module.def(
      "mean_interval",
      [](const std::vector<double>& values) {
        const sim::Interval interval = sim::mean_interval(values);
        return std::pair(interval.mean, interval.half_width);
      },
      pybind11::arg("values"),
      "Mean and half-width of the 95 % interval (Student's t), as `compare` has them.");
  module.def("none_of", &sim::none_of, pybind11::arg("requests"),
             "The largest share, with 95 % confidence, of something that none of so many requests showed.");
}

}  // namespace fluidbatch::python
