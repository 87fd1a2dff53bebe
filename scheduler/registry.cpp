#include "scheduler/registry.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace fluidbatch::scheduler {
namespace {

// A function's static, since registrations in other files may run before this file's own statics exist.
std::list<PolicyInfo>& registry() {
  static std::list<PolicyInfo> policies;
  return policies;
}

LoadedPolicies* being_loaded = nullptr;

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

const std::list<PolicyInfo>& all_policies() { return registry(); }

const PolicyInfo* find_policy(std::string_view name) {
  const auto& policies = registry();
  const auto found = std::find_if(policies.begin(), policies.end(),
                                  [&](const PolicyInfo& info) { return info.name == name; });
  return found == policies.end() ? nullptr : &*found;
}

void add_policy(const PolicyInfo& info) {
  auto& policies = registry();
  const auto place = std::find_if(policies.begin(), policies.end(),
                                  [&](const PolicyInfo& other) { return other.name >= info.name; });
  if (place != policies.end() && place->name == info.name) {
    throw std::logic_error("two policies are called " + info.name);
  }
  policies.insert(place, info);
}

PolicyRegistration::PolicyRegistration(const PolicyInfo& info, const char* interface) {
  if (std::string_view(interface) != FLUIDBATCH_POLICY_INTERFACE) {  // then `info` may be laid out otherwise
    if (being_loaded == nullptr) throw std::logic_error(std::string("a policy compiled for ") + interface);
    being_loaded->other_interface = interface;
    return;
  }
  if (being_loaded != nullptr) {
    being_loaded->policies.push_back(info);
  } else {
    add_policy(info);
  }
}

LoadedPolicies policies_loaded_by(const std::function<void()>& load) {
  LoadedPolicies loaded;
  being_loaded = &loaded;
  load();
  being_loaded = nullptr;
  return loaded;
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
