#include "scheduler/parameters.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace fluidbatch::scheduler {

ParameterValues::ParameterValues(const std::vector<Parameter>& parameters, std::vector<double> values)
    : values_(std::move(values)) {
  for (const Parameter& parameter : parameters) names_.push_back(parameter.name);
  if (names_.size() != values_.size()) throw std::logic_error("one value is needed for each parameter");
}

double ParameterValues::number(std::string_view name) const {
  const auto found = std::find(names_.begin(), names_.end(), name);
  if (found == names_.end()) throw std::logic_error("undeclared parameter " + std::string(name));
  return values_[static_cast<std::size_t>(found - names_.begin())];
}

}  // namespace fluidbatch::scheduler
