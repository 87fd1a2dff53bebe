#include "scheduler/registry.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace fluidbatch::scheduler {
namespace {

// A function's static, since registrations in other files may run before this file's own statics exist.
std::vector<PolicyInfo>& registry() {
  static std::vector<PolicyInfo> policies;
  return policies;
}

}  // namespace

ParameterValues::ParameterValues(const std::vector<Parameter>& parameters, std::vector<double> values)
    : values_(std::move(values)) {
  for (const Parameter& parameter : parameters) names_.push_back(parameter.name);
  if (names_.size() != values_.size()) throw std::logic_error("one value is needed for each parameter");
}

double ParameterValues::number(std::string_view name) const {
  const auto found = std::find(names_.begin(), names_.end(), name);
  if (found == names_.end()) throw std::logic_error("undeclared policy parameter " + std::string(name));
  return values_[static_cast<std::size_t>(found - names_.begin())];
}

const std::vector<PolicyInfo>& all_policies() { return registry(); }

const PolicyInfo* find_policy(std::string_view name) {
  const auto& policies = registry();
  const auto found = std::find_if(policies.begin(), policies.end(),
                                  [&](const PolicyInfo& info) { return info.name == name; });
  return found == policies.end() ? nullptr : &*found;
}

PolicyRegistration::PolicyRegistration(PolicyInfo info) {
  auto& policies = registry();
  const auto place = std::find_if(policies.begin(), policies.end(),
                                  [&](const PolicyInfo& other) { return other.name >= info.name; });
  if (place != policies.end() && place->name == info.name) {
    throw std::logic_error("two policies are called " + info.name);
  }
  policies.insert(place, std::move(info));
}

Parameter max_batch_parameter() {
  return {.name = "max_batch",
          .default_value = 8,
          .min = 1,
          .max = 1024,
          .integer = true,
          .meaning = "largest number of samples in a batch"};
}

PolicyTraits traits_of_max_batch(const ParameterValues& values) {
  return {.max_batch = values.integer("max_batch")};
}

}  // namespace fluidbatch::scheduler
