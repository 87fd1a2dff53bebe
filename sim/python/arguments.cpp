#include "sim/python/arguments.h"

#include "sim/drive/child_process.h"
#include "sim/drive/driver_names.h"
#include "sim/python/conversion.h"
#include "workloads/io/input_error.h"
#include "workloads/io/map_reader.h"

namespace fluidbatch::python {

io::Mark argument(const std::string& name) { return {.source = name, .line = 0, .column = 0}; }

double number_argument(pybind11::handle value, const std::string& name, const io::Range& range) {
  return io::read_number(node_of(value, name), name, range);
}

std::int64_t integer_argument(pybind11::handle value, const std::string& name, std::int64_t min,
                              std::int64_t max) {
  return io::read_integer(node_of(value, name), name, min, max);
}

int jobs_argument(pybind11::handle value) {
  constexpr std::int64_t kMost = 4096;
  return value.is_none() ? sim::processors() : static_cast<int>(integer_argument(value, "jobs", 1, kMost));
}

sim::Driver driver_argument(const std::string& name) {
  if (const auto driver = io::value_of(sim::kDriverNames, name)) return *driver;
  throw io::InputError(argument("driver"), io::unknown_word("driver", name, io::words_of(sim::kDriverNames)));
}

std::optional<sim::Driver> driver_argument(const std::optional<std::string>& name) {
  if (!name) return std::nullopt;
  return driver_argument(*name);
}

}  // namespace fluidbatch::python
