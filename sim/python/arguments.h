// Arguments of the module's functions, checked as a configuration's values are.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <pybind11/pybind11.h>

#include "sim/drive/driver.h"
#include "workloads/io/range.h"
#include "workloads/io/yaml_node.h"

namespace fluidbatch::python {

/// The place that messages about an argument have.
io::Mark argument(const std::string& name);

// All throw io::InputError at the argument's place.

double number_argument(pybind11::handle value, const std::string& name, const io::Range& range);
std::int64_t integer_argument(pybind11::handle value, const std::string& name, std::int64_t min,
                              std::int64_t max);

/// Processes at a time: None is one for each core.
int jobs_argument(pybind11::handle value);

/// A driver by its name; nothing for None.
sim::Driver driver_argument(const std::string& name);
std::optional<sim::Driver> driver_argument(const std::optional<std::string>& name);

}  // namespace fluidbatch::python
