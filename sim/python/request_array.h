// Requests as a structured NumPy array.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <pybind11/numpy.h>

#include "sim/output/request_row.h"
#include "sim/output/requests_csv.h"

namespace fluidbatch::python {

/// `rows` themselves, not a copy, with the columns of a requests.csv of that shape and `dropped`; not to be
/// written to. `owner` keeps the rows alive.
pybind11::array request_array(const std::vector<sim::RequestRow>& rows, const sim::RequestsCsvShape& shape,
                              const pybind11::object& owner);

/// The same from a requests.csv; `services`: the names whose numbers the column `service` is to have. Throws
/// io::InputError.
pybind11::array read_request_array(const std::filesystem::path& file,
                                   const std::vector<std::string>& services);

}  // namespace fluidbatch::python
