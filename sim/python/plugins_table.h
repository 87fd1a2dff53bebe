// Latency tables as Python sees them.
#pragma once

#include <pybind11/pybind11.h>

#include "npu_model/batch_policy_table.h"
#include "sim/python/plugins_call.h"

namespace fluidbatch::python {

void bind_tables(pybind11::module_& module);

/// The object of a table, the same one each time as long as the table is the same. It shares the table, so
/// that it is good for as long as anybody has it.
class TableObject {
 public:
  /// With the GIL.
  [[nodiscard]] pybind11::object of(const npu::BatchPolicyTable& table);

 private:
  const npu::BatchPolicyTable* table_ = nullptr;
  Kept object_;
};

}  // namespace fluidbatch::python
