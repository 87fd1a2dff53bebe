// What all C++ that calls a user's Python needs.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <pybind11/pybind11.h>

#include "scheduler/parameters.h"
#include "workloads/io/input_error.h"

namespace fluidbatch::python {

/// An object of Python's that C++ shares and drops in any thread, with the GIL or without.
using Kept = std::shared_ptr<PyObject>;

/// To be called with the GIL. Where the interpreter has ended before the last share, nothing is dropped.
Kept keep(pybind11::object object);

/// Throws what Python code has raised, pybind11::error_already_set. From a forked child, out of which no
/// exception of Python's comes, it is a scheduler::PolicyError with the text of the traceback. To be called
/// with the GIL, while Python's error indicator is set.
[[noreturn]] void throw_raised();

/// `function(arguments..)`, with the GIL. Throws as throw_raised.
template <typename... Arguments>
pybind11::object call(pybind11::handle function, Arguments&&... arguments) {
  try {
    return function(std::forward<Arguments>(arguments)...);
  } catch (pybind11::error_already_set& raised) {
    raised.restore();
  }
  throw_raised();
}

/// A copy by `instance.clone()`, which has to be another object. Throws as throw_raised, and PolicyError.
pybind11::object clone_of(pybind11::handle instance);

/// What an object shows of itself in a message, cut where that is long.
std::string shown(pybind11::handle value);

/// The parameters that Python declares: tuples of name, default, least, most, kind ("number", "integer",
/// "flag" or "word"), meaning and words.
std::vector<scheduler::Parameter> parameters_of(const pybind11::list& declared);

/// `replace(info)`. Throws io::InputError where the name is taken by one that is not Python's.
template <typename Info>
void register_by(void (*replace)(const Info&), const Info& info) {
  try {
    replace(info);
  } catch (const std::logic_error&) {
    throw io::InputError("the name " + io::in_quotes(info.name) +
                         " is that of one that is not Python's own: take " + "another one");
  }
}

/// The values of `parameters` as Python has them, by name: int, float, bool, str; None where an optional one
/// was not given.
pybind11::dict values_of(const std::vector<scheduler::Parameter>& parameters,
                         const scheduler::ParameterValues& values);

/// A number from 0 up, of anything that Python takes for a whole number. Throws pybind11::type_error, and
/// scheduler::PolicyError where it is negative or beyond all sizes. `what`: the function that it is for.
std::size_t count_of(pybind11::handle value, const char* what);

}  // namespace fluidbatch::python
