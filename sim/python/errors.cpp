// C++ exceptions as Python's.
#include <exception>

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "scheduler/policy_error.h"
#include "sim/drive/users_error.h"
#include "sim/measure/run_watch.h"
#include "sim/python/bindings.h"
#include "workloads/io/input_error.h"

namespace fluidbatch::python {
namespace {

namespace py = pybind11;

// They live as long as the interpreter: what is raised with them may outlive the module.
PyObject* input_error = nullptr;
PyObject* policy_error = nullptr;

PyObject* make_exception(py::module_& module, const char* name, const char* doc, PyObject* base) {
  const std::string full = std::string("fluidbatch.") + name;
  PyObject* type = PyErr_NewExceptionWithDoc(full.c_str(), doc, base, nullptr);
  if (type == nullptr) throw py::error_already_set();
  module.add_object(name, type);
  return type;
}

/// With the place as attributes: `file`, `line`, `column`; None where the input has none.
void raise_input_error(const char* message, const io::Mark& mark) {
  py::object error = py::reinterpret_borrow<py::object>(input_error)(message);
  const bool in_file = mark.line > 0;
  error.attr("file") = mark.source.empty() ? py::object(py::none()) : py::str(mark.source);
  error.attr("line") = in_file ? py::object(py::int_(mark.line)) : py::none();
  error.attr("column") = in_file ? py::object(py::int_(mark.column)) : py::none();
  PyErr_SetObject(input_error, error.ptr());
}

void translate(std::exception_ptr thrown) {  // NOLINT(performance-unnecessary-value-param): pybind11 says how
  try {
    if (thrown) std::rethrow_exception(thrown);
  } catch (const py::error_already_set&) {
    throw;  // pybind11's own to translate
  } catch (const py::builtin_exception&) {
    throw;
  } catch (const io::InputError& error) {
    raise_input_error(error.what(), error.mark());
  } catch (const scheduler::PolicyError& error) {
    PyErr_SetString(policy_error, error.what());
  } catch (const std::bad_alloc&) {
    PyErr_SetString(PyExc_MemoryError, sim::kNoMemory);
  } catch (const std::exception& error) {
    if (const auto text = sim::users_error(error)) return raise_input_error(text->c_str(), {});
    throw;
  }
}

}  // namespace

void bind_errors(py::module_& module) {
  input_error = make_exception(module, "InputError",
                               "Something that was given is wrong.\n\nThe message says where, what was "
                               "found, what is allowed and what was "
                               "probably\nmeant. Attributes: file (str or None; of a dict, the place in it), "
                               "line, column (int or None).",
                               PyExc_ValueError);
  policy_error = make_exception(module, "PolicyError",
                                "A policy, router, arbiter or exit control decided what is not allowed.",
                                PyExc_RuntimeError);
  // Those of one that Python code raises.
  for (const char* attribute : {"file", "line", "column"}) py::setattr(input_error, attribute, py::none());
  py::register_exception_translator(translate);
  module.def(
      "unknown_word", &io::unknown_word, py::arg("what"), py::arg("found"), py::arg("known"),
      "The message that a word is none of those that are known, with the one that was probably meant.");
}

}  // namespace fluidbatch::python
