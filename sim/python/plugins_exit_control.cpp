// Exit controls that are written in Python.
#include <algorithm>
#include <memory>
#include <string>
#include <tuple>
#include <utility>

#include <pybind11/stl.h>

#include "scheduler/policy_error.h"
#include "scheduler/registry.h"
#include "sim/python/plugins.h"
#include "sim/python/plugins_call.h"
#include "sim/python/plugins_view.h"

namespace fluidbatch::python {
namespace {

namespace py = pybind11;
using scheduler::ExitRule;
using scheduler::ExitView;
using View = Shown<ExitView>;

/// What `rule` returned: a rule, or its threshold.
ExitRule rule_of(py::handle answer) {
  py::detail::make_caster<ExitRule> caster;
  if (caster.load(answer, false)) return py::detail::cast_op<ExitRule&>(caster);
  const double threshold = PyFloat_AsDouble(answer.ptr());
  if (threshold != -1 || PyErr_Occurred() == nullptr) return {.threshold = threshold};
  PyErr_Clear();
  throw scheduler::PolicyError(
      "rule has to return a threshold, a number, or fluidbatch.leave(..); it returned " + shown(answer));
}

/// An object of a Python class with `rule`, `clone` and perhaps `taken`.
class PythonExitControl final : public scheduler::ExitControl {
 public:
  /// With the GIL.
  PythonExitControl(py::object instance, bool listens) : instance_(keep(std::move(instance))) {
    rule_ = keep(py::getattr(instance_.get(), "rule"));
    if (listens) taken_ = keep(py::getattr(instance_.get(), "taken"));
  }
  PythonExitControl(const PythonExitControl&) = delete;
  PythonExitControl& operator=(const PythonExitControl&) = delete;
  ~PythonExitControl() override = default;

  ExitRule rule(const ExitView& view) const override {
    const py::gil_scoped_acquire held;
    const Showing showing(*view_.shown, view);
    return rule_of(call(rule_.get(), py::handle(view_.object.get())));
  }

  void taken(const scheduler::ExitTaken& exit) override {
    if (taken_ == nullptr) return;
    const py::gil_scoped_acquire held;
    call(taken_.get(), exit.exit, exit.confidence);
  }

  std::unique_ptr<scheduler::ExitControl> clone() const override {
    const py::gil_scoped_acquire held;
    return std::make_unique<PythonExitControl>(clone_of(instance_.get()), taken_ != nullptr);
  }

 private:
  Kept instance_;
  Kept rule_;   // bound to it
  Kept taken_;  // likewise; null where the class has none of its own
  ViewObject<ExitView> view_;
};

/// The rows that calibrate: for each exit a tuple of their confidences and of whether they are correct.
py::list calibration_of(const scheduler::ExitControlContext& context) {
  py::list exits;
  for (const auto& rows : context.calibration) {
    py::array_t<double> confidences(static_cast<py::ssize_t>(rows.size()));
    py::array_t<bool> correct(static_cast<py::ssize_t>(rows.size()));
    std::ranges::transform(rows, confidences.mutable_data(), &scheduler::JudgedExit::confidence);
    std::ranges::transform(rows, correct.mutable_data(), &scheduler::JudgedExit::correct);
    exits.append(py::make_tuple(confidences, correct));
  }
  return exits;
}

void register_exit_control(const std::string& name, const std::string& summary, const py::list& declared,
                           bool listens, py::object traits, py::object make) {
  const auto parameters = parameters_of(declared);
  register_by<scheduler::ExitControlInfo>(
      scheduler::replace_exit_control,
      {.name = name,
       .summary = summary,
       .parameters = parameters,
       .traits =
           [parameters, traits = keep(std::move(traits))](const scheduler::ParameterValues& values) {
             const py::gil_scoped_acquire held;
             const auto [needs_confidences, target] =
                 call(traits.get(), values_of(parameters, values)).cast<std::tuple<bool, double>>();
             return scheduler::ExitControlTraits{.needs_confidences = needs_confidences,
                                                 .accuracy_target = target};
           },
       .make = [parameters, listens, make = keep(std::move(make))](
                   const scheduler::ParameterValues& values,
                   const scheduler::ExitControlContext& context) -> std::unique_ptr<scheduler::ExitControl> {
         const py::gil_scoped_acquire held;
         return std::make_unique<PythonExitControl>(
             call(make.get(), values_of(parameters, values), context.thresholds, calibration_of(context)),
             listens);
       }});
}

void bind_rules(py::module_& module) {
  py::class_<ExitRule>(module, "ExitRule", "Who leaves at an early exit; made by leave.")
      .def_readonly("threshold", &ExitRule::threshold, "samples of at least this confidence leave")
      .def_readonly("by_deadline", &ExitRule::by_deadline,
                    "those too who would be late after one more segment")
      .def_readonly("together", &ExitRule::together, "the batch leaves as one, or stays")
      .def(
          "__eq__", [](const ExitRule& a, const ExitRule& b) { return a == b; }, py::is_operator())
      .def("__hash__",
           [](const ExitRule& r) { return py::hash(py::make_tuple(r.threshold, r.by_deadline, r.together)); })
      .def(
          "__deepcopy__", [](py::object self, const py::object&) { return self; }, py::arg("memo"))
      .def("__repr__", [](const ExitRule& r) {
        return py::str("leave({!r}, by_deadline={!r}, together={!r})")
            .format(r.threshold, r.by_deadline, r.together);
      });
  module.def(
      "leave",
      [](double threshold, bool by_deadline, bool together) {
        return ExitRule{.threshold = threshold, .by_deadline = by_deadline, .together = together};
      },
      py::arg("threshold"), py::arg("by_deadline") = false, py::arg("together") = false,
      "At this early exit samples of at least the confidence `threshold` (0 to 1) leave. `by_deadline`: "
      "those too who "
      "would be\nlate after one more segment. `together`: the batch has one exit, whatever its confidences: "
      "where "
      "`by_deadline` lets\none leave, all leave, and otherwise nobody does.");
}

}  // namespace

void bind_python_exit_controls(py::module_& module) {
  bind_rules(module);
  py::class_<View, std::shared_ptr<View>> type(
      module, "ExitView",
      "A batch at the end of a segment, before anybody leaves it: good only while rule() runs.");
  type.def_property_readonly(
          "now_s", [](const View& v) { return v.view().now_s; }, "the date")
      .def_property_readonly(
          "exit", [](const View& v) { return v.view().exit; },
          "number of the early exit at the end of that segment")
      .def_property_readonly(
          "batch", [](const View& v) { return v.view().batch; }, "samples in the batch")
      .def_property_readonly(
          "queued", [](const View& v) { return v.view().queued; },
          "requests in the queue, without those that arrive at this very date")
      .def_property_readonly(
          "slo_s", [](const View& v) { return v.view().slo.latency_s; },
          "latency bound that the server has to keep; infinite where there is none")
      .def_property_readonly(
          "table", [](View& v) { return v.table_object(v.view().table); },
          "latencies of the network's layers on this NPU");
  refuse_copies(type);
  module.def("register_exit_control", &register_exit_control, py::arg("name"), py::arg("summary"),
             py::arg("parameters"), py::arg("listens"), py::arg("traits"), py::arg("make"));
}

}  // namespace fluidbatch::python
