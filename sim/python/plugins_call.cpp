#include "sim/python/plugins_call.h"

#include <cmath>

#include "scheduler/policy_error.h"
#include "sim/python/fork.h"

namespace fluidbatch::python {
namespace {

namespace py = pybind11;
using scheduler::Parameter;

void drop(PyObject* object) {
  // An object of static life may be dropped after the interpreter has ended, or while it ends.
  if (Py_IsInitialized() == 0 || _Py_IsFinalizing() != 0) return;
  const py::gil_scoped_acquire held;
  Py_DECREF(object);
}

std::string text_of(const py::error_already_set& raised) {
  const py::object lines = py::module_::import("traceback")
                               .attr("format_exception")(raised.type(), raised.value(), raised.trace());
  auto text = py::str("").attr("join")(lines).cast<std::string>();
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

}  // namespace

Kept keep(py::object object) { return {object.release().ptr(), drop}; }

void throw_raised() {
  py::error_already_set raised;
  if (!is_child_of_interpreter()) throw raised;
  throw scheduler::PolicyError(text_of(raised));
}

py::object clone_of(py::handle instance) {
  py::object copy = call(instance.attr("clone"));
  if (!copy.is(instance) && py::type::of(copy).is(py::type::of(instance))) return copy;
  throw scheduler::PolicyError(
      "clone() has to return a copy, another object of the same class; it returned " + shown(copy));
}

std::string shown(py::handle value) {
  constexpr std::size_t kMost = 200;
  auto text = py::repr(value).cast<std::string>();
  if (text.size() > kMost) text.replace(kMost, std::string::npos, "..");
  return text;
}

std::vector<Parameter> parameters_of(const py::list& declared) {
  std::vector<Parameter> parameters;
  for (const py::handle item : declared) {
    const auto fields = item.cast<py::tuple>();
    const auto kind = fields[4].cast<std::string>();
    Parameter& parameter = parameters.emplace_back();
    parameter.name = fields[0].cast<std::string>();
    parameter.default_value = fields[1].cast<double>();
    parameter.min = fields[2].cast<double>();
    parameter.max = fields[3].cast<double>();
    parameter.integer = kind != "number";
    parameter.flag = kind == "flag";
    parameter.meaning = fields[5].cast<std::string>();
    for (const py::handle word : fields[6]) parameter.words.push_back(word.cast<std::string>());
  }
  return parameters;
}

py::dict values_of(const std::vector<Parameter>& parameters, const scheduler::ParameterValues& values) {
  py::dict by_name;
  for (const Parameter& parameter : parameters) {
    const double value = values.number(parameter.name);
    py::object object = py::none();
    if (!parameter.words.empty()) {
      object = py::str(parameter.words.at(static_cast<std::size_t>(value)));
    } else if (parameter.flag) {
      object = py::bool_(value != 0);
    } else if (!std::isnan(value)) {
      object = parameter.integer ? py::object(py::int_(static_cast<long long>(value))) : py::float_(value);
    }
    by_name[py::str(parameter.name)] = object;
  }
  return by_name;
}

std::size_t count_of(py::handle value, const char* what) {
  const auto whole = py::reinterpret_steal<py::object>(PyNumber_Index(value.ptr()));
  if (!whole) {
    PyErr_Clear();
    throw py::type_error(std::string(what) + " needs a whole number, found " + shown(value));
  }
  const Py_ssize_t count = PyLong_AsSsize_t(whole.ptr());
  if (count >= 0) return static_cast<std::size_t>(count);
  PyErr_Clear();
  throw scheduler::PolicyError(std::string(what) + " needs a number from 0 up, found " + shown(value));
}

}  // namespace fluidbatch::python
