#include "sim/config/parameters_reader.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <utility>

#include "sim/config/fbe_table_file.h"
#include "workloads/io/shipped_files.h"

namespace fluidbatch::sim {
namespace {

double read_parameter(io::MapReader& reader, const scheduler::Parameter& parameter) {
  const auto whole = [](double value) { return static_cast<std::int64_t>(value); };
  if (parameter.optional() && !reader.has(parameter.name)) return parameter.default_value;
  if (parameter.flag) return reader.boolean(parameter.name, parameter.default_value != 0) ? 1 : 0;
  if (!parameter.words.empty()) {
    return static_cast<double>(
        reader.choice(parameter.name, parameter.words, static_cast<std::size_t>(parameter.default_value)));
  }
  if (parameter.integer) {
    return static_cast<double>(reader.integer(parameter.name, whole(parameter.min), whole(parameter.max),
                                              whole(parameter.default_value)));
  }
  return reader.number(parameter.name, {.min = parameter.min, .max = parameter.max}, parameter.default_value);
}

/// The table that the file holds; its absolute path is resolved.
std::shared_ptr<const scheduler::FbeTable> read_table(io::MapReader& reader, const std::string& key) {
  const io::Node& path = reader.required(key);
  io::read_text(path, key);
  const std::filesystem::path file = io::resolve_path(path);
  reader.resolve(key, io::Node::text(file.string()));
  return std::make_shared<const scheduler::FbeTable>(read_fbe_table(file));
}

}  // namespace

std::vector<std::string> keys_of(const std::string& first,
                                 const std::vector<scheduler::Parameter>& parameters) {
  std::vector<std::string> keys{first};
  for (const scheduler::Parameter& parameter : parameters) keys.push_back(parameter.name);
  return keys;
}

scheduler::ParameterValues read_parameters(io::MapReader& reader,
                                           const std::vector<scheduler::Parameter>& parameters) {
  std::vector<double> values;
  values.reserve(parameters.size());
  std::shared_ptr<const scheduler::FbeTable> table;
  for (const scheduler::Parameter& parameter : parameters) {
    if (parameter.table) table = read_table(reader, parameter.name);
    values.push_back(parameter.table ? 0 : read_parameter(reader, parameter));
  }
  return {parameters, std::move(values), std::move(table)};
}

}  // namespace fluidbatch::sim
