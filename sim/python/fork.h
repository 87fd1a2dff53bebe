// Processes that are forked beside a Python interpreter.
#pragma once

namespace fluidbatch::python {

/// From here on every child that a simulation runs in (sim/drive/child_process.h) is forked as Python's own
/// os.fork does it: with the GIL held, and the interpreter told on both sides. A policy in Python then runs
/// in the child as it does here.
void fork_as_python_does();

/// Whether this process is such a child.
bool is_child_of_interpreter();

}  // namespace fluidbatch::python
