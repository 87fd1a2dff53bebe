#include "scheduler/parameters.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace fluidbatch::scheduler {

ParameterValues::ParameterValues(const std::vector<Parameter>& parameters, std::vector<double> values,
                                 std::shared_ptr<const FbeTable> table)
    : values_(std::move(values)), table_(std::move(table)) {
  for (const Parameter& parameter : parameters) names_.push_back(parameter.name);
  if (names_.size() != values_.size()) throw std::logic_error("one value is needed for each parameter");
}

double ParameterValues::number(std::string_view name) const {
  const auto found = std::find(names_.begin(), names_.end(), name);
  if (found == names_.end()) throw std::logic_error("undeclared parameter " + std::string(name));
  return values_[static_cast<std::size_t>(found - names_.begin())];
}

const std::shared_ptr<const FbeTable>& ParameterValues::table() const {
  if (table_ == nullptr) throw std::logic_error("no table of decisions was given");
  return table_;
}

}  // namespace fluidbatch::scheduler
