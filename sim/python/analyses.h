// Sweeps, comparisons, capacities, tails and optima: what their bindings share.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include <pybind11/pybind11.h>

#include "sim/measure/run_watch.h"

namespace fluidbatch::python {

void bind_sweeps(pybind11::module_& module);
void bind_comparisons(pybind11::module_& module);
void bind_capacities(pybind11::module_& module);
void bind_tails(pybind11::module_& module);
void bind_optima(pybind11::module_& module);

/// A table on its way to Python: a dict of lists, row by row.
class Columns {
 public:
  template <typename Value>
  Columns& add(const std::string& column, const Value& value) {
    const pybind11::str name(column);
    if (!columns_.contains(name)) columns_[name] = pybind11::list();
    columns_[name].cast<pybind11::list>().append(value);
    return *this;
  }

  [[nodiscard]] const pybind11::dict& dict() const { return columns_; }

 private:
  pybind11::dict columns_;
};

/// For what is called very often and should look at signals now and then.
class Pulse {
 public:
  /// True at most 50 times a second.
  [[nodiscard]] bool is_due() {
    const auto now = std::chrono::steady_clock::now();
    if (now < next_) return false;
    next_ = now + std::chrono::milliseconds(20);
    return true;
  }

 private:
  std::chrono::steady_clock::time_point next_ = std::chrono::steady_clock::now();
};

/// Does `work` in a thread beside the interpreter (supervise.h), which `watch` ends where Ctrl-C does. To be
/// called with the GIL. `poll` is called now and then, with it.
void work_beside(sim::RunWatch& watch, const std::function<void()>& work, const std::function<void()>& poll);

}  // namespace fluidbatch::python
