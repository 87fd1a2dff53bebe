#include "sim/sweep/point_configuration.h"

#include <string>

#include "sim/sweep/results_schema.h"
#include "workloads/io/input_error.h"

namespace fluidbatch::sim {

io::Node point_configuration(const std::filesystem::path& file, std::int64_t point) {
  Database database(file, Database::Access::read);
  require_readable_results(database);
  const std::string name = file.string() + ": point " + std::to_string(point);
  Query found(database, "SELECT configuration, status, message FROM points WHERE point = ?");
  found.bind(point);
  if (!found.step()) {
    throw io::InputError(name + " is not in the results; `SELECT point FROM points` lists those that are");
  }
  if (found.is_null(0)) throw io::InputError(name + " has failed: " + found.text(2));
  return io::parse_yaml(found.text(0), name);
}

}  // namespace fluidbatch::sim
