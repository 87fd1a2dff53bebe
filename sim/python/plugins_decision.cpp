#include "sim/python/plugins_decision.h"

#include <array>
#include <optional>
#include <string>

#include <pybind11/stl.h>

#include "sim/python/plugins_call.h"
#include "workloads/io/input_error.h"
#include "workloads/io/names.h"

namespace fluidbatch::python {
namespace {

namespace py = pybind11;
using scheduler::Decision;
using Refusal = Decision::Refusal;

constexpr std::array kRefusals{io::Name{Refusal::no_gain, "no_gain"}, io::Name{Refusal::slo, "slo"}};

const char* kind_of(const Decision& decision) {
  switch (decision.action) {
    case Decision::Action::go_on:
      return "go_on";
    case Decision::Action::start:
      return "start";
    case Decision::Action::preempt:
      return "preempt";
    case Decision::Action::drop:
      return "drop";
    case Decision::Action::wait_until:
      return decision.samples > 0 ? "wait_for_arrival" : "wait_until";
  }
  return "?";
}

py::object refusal_of(const Decision& decision) {
  if (decision.refusal == Refusal::none) return py::none();
  return py::str(decision.refusal == Refusal::slo ? "slo" : "no_gain");
}

Decision go_on(int until_layer, const std::optional<std::string>& refusal) {
  if (!refusal) return Decision::go_on(Refusal::none, until_layer);
  if (const auto known = io::value_of(kRefusals, *refusal)) return Decision::go_on(*known, until_layer);
  throw py::value_error(io::unknown_word("refusal", *refusal, io::words_of(kRefusals)));
}

/// As it is written to make it.
std::string text_of(const Decision& decision) {
  const std::string kind = kind_of(decision);
  if (kind == "wait_until")
    return kind + "(" + py::repr(py::float_(decision.date_s)).cast<std::string>() + ")";
  if (kind != "go_on") return kind + "(" + std::to_string(decision.samples) + ")";
  std::string arguments =
      decision.until_layer == 0 ? "" : "until_layer=" + std::to_string(decision.until_layer);
  if (decision.refusal != Refusal::none) {
    arguments += (arguments.empty() ? "" : ", ") + std::string("refusal=");
    arguments += py::repr(refusal_of(decision)).cast<std::string>();
  }
  return kind + "(" + arguments + ")";
}

}  // namespace

Decision decision_of(py::handle answer) {
  py::detail::make_caster<Decision> caster;
  if (caster.load(answer, false)) return py::detail::cast_op<Decision&>(caster);
  throw scheduler::PolicyError("decide has to return a decision, such as fluidbatch.start(1); it returned " +
                               shown(answer));
}

void bind_decisions(py::module_& module) {
  py::class_<Decision>(module, "Decision", "What the server should do next; made by start, preempt, ..")
      .def_property_readonly("kind", kind_of, "name of the function that makes such a one")
      .def_property_readonly(
          "samples", [](const Decision& d) { return d.samples; },
          "that it is about; 0 where it is about none")
      .def_property_readonly(
          "date_s", [](const Decision& d) { return d.date_s; }, "until when to wait; meaningless otherwise")
      .def_property_readonly("refusal", refusal_of, "why it goes on: None, 'no_gain' or 'slo'")
      .def_property_readonly(
          "until_layer", [](const Decision& d) { return d.until_layer; },
          "up to which going on holds; 0: not said")
      .def(
          "__eq__", [](const Decision& a, const Decision& b) { return a == b; }, py::is_operator())
      .def("__hash__", [](const Decision& d) { return py::hash(py::str(text_of(d))); })
      .def(
          "__deepcopy__", [](py::object self, const py::object&) { return self; }, py::arg("memo"))
      .def("__repr__", text_of);
  module.def(
      "start", [](py::handle samples) { return Decision::start(count_of(samples, "start")); },
      py::arg("samples"),
      "Idle NPU: form a batch of the oldest `samples` queued requests and run it from layer 0.");
  module.def(
      "preempt", [](py::handle samples) { return Decision::preempt(count_of(samples, "preempt")); },
      py::arg("samples"),
      "Suspend the active batch and run the oldest `samples` queued requests from layer 0; they join it "
      "where it "
      "has not run a layer yet.");
  module.def(
      "drop", [](py::handle samples) { return Decision::drop(count_of(samples, "drop")); },
      py::arg("samples"), "Give the oldest `samples` queued requests up, and be asked again.");
  module.def(
      "go_on", &go_on, py::arg("until_layer") = 0, py::arg("refusal") = py::none(),
      "Run the active batch on. `until_layer`: the answer is the same at all boundaries before that layer, "
      "as "
      "long as no\nsample leaves the batch and nothing merges with it, whoever arrives. `refusal`: 'no_gain' "
      "or 'slo', why there is no\npreemption; it is counted in the statistics.");
  module.def("wait_until", &Decision::wait_until, py::arg("date_s"),
             "Idle NPU: stay idle until that date, which lies in the future, or until a request arrives.");
  module.def(
      "wait_for_arrival",
      [](py::handle otherwise) {
        return Decision::wait_for_arrival(count_of(otherwise, "wait_for_arrival"));
      },
      py::arg("otherwise"),
      "Idle NPU: wait for the next arrival. Where nobody comes any more, the oldest `otherwise` queued "
      "requests "
      "start.");
}

}  // namespace fluidbatch::python
