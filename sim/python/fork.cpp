#include "sim/python/fork.h"

#include <unistd.h>

#include <pybind11/pybind11.h>

#include "sim/drive/child_process.h"

namespace fluidbatch::python {
namespace {

bool is_child = false;

int fork_with_interpreter() {
  const pybind11::gil_scoped_acquire held;
  PyOS_BeforeFork();
  const pid_t process = ::fork();
  const int reason = errno;
  process == 0 ? PyOS_AfterFork_Child() : PyOS_AfterFork_Parent();
  is_child = is_child || process == 0;
  errno = reason;
  return process;
}

}  // namespace

void fork_as_python_does() { sim::fork_by(fork_with_interpreter); }

bool is_child_of_interpreter() { return is_child; }

}  // namespace fluidbatch::python
