// Decisions of a policy as values of Python's.
#pragma once

#include <pybind11/pybind11.h>

#include "scheduler/policy.h"

namespace fluidbatch::python {

void bind_decisions(pybind11::module_& module);

/// What `decide` returned. Throws scheduler::PolicyError where that is no decision.
scheduler::Decision decision_of(pybind11::handle answer);

}  // namespace fluidbatch::python
