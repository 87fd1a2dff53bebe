// Fits of an NPU to measured layers.
#include <optional>
#include <utility>

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "sim/fit/measured_fit.h"
#include "sim/python/conversion.h"
#include "sim/python/models.h"
#include "workloads/io/shipped_files.h"
#include "workloads/models/npu_file.h"

namespace fluidbatch::python {
namespace {

namespace py = pybind11;

constexpr std::int64_t kMostEvery = 1'000'000;

/// A fit that is done.
struct Fit {
  sim::FitBase base;
  sim::MeasuredFit fitted;
};

const sim::FitWords& words() {
  static const sim::FitWords kWords{
      .free = "free", .network = "network", .hold_out = "hold_out", .hold_out_every = "hold_out_every"};
  return kWords;
}

/// `given`: None, "COLUMN=VALUE,.." or {COLUMN: values}.
sim::HoldOut hold_out_of(py::handle given, py::handle every) {
  sim::HoldOut hold_out;
  if (!given.is_none() && every.cast<py::object>().not_equal(py::int_(0))) {
    throw io::InputError("only one of hold_out and hold_out_every may be given");
  }
  if (py::isinstance<py::str>(given)) return sim::parse_hold_out(given.cast<std::string>(), words());
  if (py::isinstance<py::dict>(given) && py::len(given) == 1) {
    const auto [column, values] = *given.cast<py::dict>().begin();
    return {.column = py::str(column).cast<std::string>(), .values = texts(values, "hold_out"), .every = 0};
  }
  if (!given.is_none()) {
    throw io::InputError(
        {.source = "hold_out", .line = 0, .column = 0},
        "must be 'COLUMN=VALUE,..' or {COLUMN: values}, found " + std::string(py::repr(given)));
  }
  const std::int64_t number = whole_number(every, "hold_out_every", 0, kMostEvery);
  if (number == 1) whole_number(every, "hold_out_every", 2, kMostEvery);  // says why not
  hold_out.every = static_cast<int>(number);
  return hold_out;
}

std::shared_ptr<Fit> fit(py::handle measured, const NpuModel& npu, py::handle free,
                         const std::shared_ptr<NetworkModel>& network, py::handle hold_out, py::handle every,
                         py::handle mode) {
  auto fit = std::make_shared<Fit>();
  fit->base = sim::fit_base(npu.document, npu.npu);
  const sim::HoldOut held_out = hold_out_of(hold_out, every);
  const sim::MeasuredContext context{.base = fit->base.npu,
                                     .board = fit->base.board,
                                     .mode = workloads::read_mode(node_of(mode, "mode")),
                                     .free = sim::free_keys(texts(free, "free"), npu.npu, words()),
                                     .network = network ? &network->network : nullptr,
                                     .words = words()};
  if (context.free.empty()) {
    throw io::InputError({.source = "free", .line = 0, .column = 0},
                         "at least one key is needed; allowed: " + io::quoted_list(sim::npu_key_names(true)));
  }
  const std::filesystem::path file = io::resolve_path(name_node(measured, "measured"));
  const npu::Poll poll = poll_for_signals();
  const py::gil_scoped_release released;
  fit->fitted =
      sim::fit_measured(sim::load_measured_layers(file, context, held_out), fit->base, context, poll);
  sim::predict_rows(fit->fitted, io::to_yaml(fit->fitted.yaml), "the fitted NPU");
  return fit;
}

/// A row for each free key.
io::ColumnTable parameters_of(const Fit& fit) {
  const std::vector<const sim::NpuKey*>& keys = fit.fitted.settings.free;
  const sim::Fit& found = fit.fitted.fit;
  std::vector<std::size_t> rows(keys.size());
  for (std::size_t k = 0; k < rows.size(); ++k) rows[k] = k;
  io::ColumnTable table;
  table.add("parameter", rows, [&](std::size_t k) { return keys[k]->name; });
  table.add("start", rows, [&](std::size_t k) { return keys[k]->get(fit.base.npu); });
  table.add("fitted", rows, [&](std::size_t k) { return found.values[k]; });
  table.add("matters", rows, [&](std::size_t k) { return bool{found.matters[k]}; });
  table.add("at_limit", rows, [&](std::size_t k) { return bool{found.at_limit[k]}; });
  return table;
}

py::dict accuracy_of(const Fit& fit) {
  const sim::Accuracy accuracy = fit.fitted.accuracy();
  py::dict numbers;
  numbers["rows"] = accuracy.rows;
  numbers["median_error"] = accuracy.median_error;
  numbers["largest_error"] = accuracy.largest_error;
  numbers["rank_correlation"] = accuracy.rank_correlation;
  numbers["rms_log_error"] = fit.fitted.fit.rms_log_error;
  numbers["rms_log_error_at_start"] = fit.fitted.fit.rms_log_error_at_start;
  return numbers;
}

}  // namespace

void bind_fits(py::module_& module) {
  py::class_<Fit, std::shared_ptr<Fit>>(module, "Fit", "A fit of an NPU that is done.")
      .def_property_readonly(
          "unit",
          [](const Fit& f) { return f.fitted.file.unit == sim::LatencyUnit::cycles ? "cycles" : "s"; })
      .def(
          "columns", [](const Fit& f) { return columns_dict(f.fitted.columns()); },
          "The columns of `npu fit --csv`.")
      .def("parameters", [](const Fit& f) { return columns_dict(parameters_of(f)); })
      .def("accuracy", &accuracy_of)
      .def("npu",
           [](const Fit& f) {
             return std::const_pointer_cast<NpuModel>(npu_model(f.fitted.yaml, f.base.npu.name + "_fitted"));
           })
      .def("yaml", [](const Fit& f) { return io::to_yaml(f.fitted.yaml); });
  module.def("fit", &fit, py::arg("measured"), py::arg("npu"), py::arg("free"), py::arg("network"),
             py::arg("hold_out"), py::arg("hold_out_every"), py::arg("mode"),
             "Fits parameters of an NPU to measured layers.");
}

}  // namespace fluidbatch::python
