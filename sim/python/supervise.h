// Work in threads beside the interpreter, which stays awake for Ctrl-C.
#pragma once

#include <functional>
#include <vector>

namespace fluidbatch::python {

/// Lets Python answer the signals that have come (PyErr_CheckSignals). To be called without the GIL, now and
/// then, from the thread that Python called. Throws pybind11::error_already_set where a handler raised, as
/// for Ctrl-C.
void check_signals();

/// Runs the tasks, at most `jobs` at a time, in threads of their own; to be called with the GIL, which is
/// released meanwhile. About 50 times a second `poll` is called, with the GIL, after signals have been looked
/// at. Where that or a task throws, `stop` is called, once, to end the others soon; when all have ended, the
/// first exception goes on.
void supervise(const std::vector<std::function<void()>>& tasks, int jobs, const std::function<void()>& poll,
               const std::function<void()>& stop);

}  // namespace fluidbatch::python
