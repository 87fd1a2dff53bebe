// Results of a sweep side by side.
#include <filesystem>
#include <string>
#include <vector>

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include "sim/python/analyses.h"
#include "sim/sweep/compare.h"

namespace fluidbatch::python {
namespace {

namespace py = pybind11;

/// The columns of `compare --csv`, and the ends of the interval.
void add_cell(Columns& table, const sim::Comparison& comparison, const sim::ComparedRow& row,
              const sim::ComparedCell& cell, const std::string& by) {
  for (std::size_t k = 0; k < comparison.axes.size(); ++k) table.add(comparison.axes[k], row.values[k]);
  table.add(by, comparison.columns[cell.column])
      .add("metric", comparison.metric.name)
      .add("unit", comparison.metric.unit)
      .add("replications", cell.replications)
      .add("mean", cell.value.mean)
      .add("low", cell.value.mean - cell.value.half_width)
      .add("high", cell.value.mean + cell.value.half_width)
      .add("ci95", cell.value.half_width)
      .add("ratio", cell.ratio.ratio)
      .add("ratio_low", cell.ratio.low)
      .add("ratio_high", cell.ratio.high)
      .add("best", cell.best)
      .add("saturated", cell.saturated)
      .add("base_saturated", cell.base_saturated)
      .add("upper", cell.upper)
      .add("drop_rate", cell.drop_rate);
}

py::dict compare(const std::filesystem::path& file, const std::vector<std::string>& metrics,
                 const std::string& by, const std::string& base) {
  const auto comparisons = [&] {
    const py::gil_scoped_release released;
    return sim::compare_results(file, by, metrics, base, {.metric = "metrics", .by = "by", .base = "base"});
  }();
  Columns table;
  py::list undefined;
  for (const sim::Comparison& comparison : comparisons.of) {
    for (const sim::ComparedRow& row : comparison.rows) {
      for (const sim::ComparedCell& cell : row.cells) add_cell(table, comparison, row, cell, by);
    }
    if (!sim::is_defined_somewhere(comparison))
      undefined.append(py::make_tuple(comparison.metric.name, sim::defined_where(comparison.metric)));
  }
  const sim::Comparison& first = comparisons.of.front();
  py::dict result;
  result["axes"] = first.axes;
  result["columns"] = first.columns;
  result["table"] = table.dict();
  result["undefined"] = undefined;
  result["unfinished"] = sim::unfinished_text(comparisons.state);
  return result;
}

}  // namespace

void bind_comparisons(py::module_& module) {
  module.def("compare", &compare, py::arg("file"), py::arg("metrics"), py::arg("by"), py::arg("base"),
             "What `compare --csv` prints, as columns; beside it the axes of the rows, the values of `by`, "
             "why metrics "
             "have no value, and how much is done.");
}

}  // namespace fluidbatch::python
