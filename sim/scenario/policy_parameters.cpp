#include "sim/scenario/policy_parameters.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>
#include <vector>

#include "workloads/io/input_error.h"
#include "workloads/io/range.h"

namespace fluidbatch::sim {
namespace {

double value_of(const scheduler::Parameter& parameter, const std::string& word) {
  const auto place = std::find(parameter.words.begin(), parameter.words.end(), word);
  if (place != parameter.words.end()) return static_cast<double>(place - parameter.words.begin());
  throw std::invalid_argument(parameter.words.empty()
                                  ? parameter.name + " must be a number, found '" + word + "'"
                                  : "unknown " + parameter.name + " '" + word + "'" +
                                        io::did_you_mean(word, parameter.words) +
                                        "; allowed: " + io::quoted_list(parameter.words));
}

double value_of(const scheduler::Parameter& parameter, double number) {
  if (!parameter.words.empty()) {
    throw std::invalid_argument(parameter.name + " must be one of " + io::quoted_list(parameter.words));
  }
  io::require_in({.min = parameter.min, .max = parameter.max}, number, parameter.name);
  if (parameter.integer && number != std::floor(number)) {
    throw std::invalid_argument(parameter.name + " must be a whole number");
  }
  return number;
}

}  // namespace

const scheduler::PolicyInfo& policy_called(const std::string& name) {
  if (const scheduler::PolicyInfo* policy = scheduler::find_policy(name)) return *policy;
  std::vector<std::string> names;
  for (const auto& policy : scheduler::all_policies()) names.push_back(policy.name);
  throw std::invalid_argument("unknown policy '" + name + "'" + io::did_you_mean(name, names) +
                              "; allowed: " + io::quoted_list(names));
}

scheduler::ParameterValues parameter_values(const scheduler::PolicyInfo& policy,
                                            const PolicyArguments& arguments) {
  std::vector<std::string> names;
  std::vector<double> values;
  for (const scheduler::Parameter& parameter : policy.parameters) {
    names.push_back(parameter.name);
    const auto given = arguments.find(parameter.name);
    values.push_back(
        given == arguments.end()
            ? parameter.default_value
            : std::visit([&](const auto& value) { return value_of(parameter, value); }, given->second));
  }
  for (const auto& [name, value] : arguments) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    throw std::invalid_argument("policy " + policy.name + " has no parameter '" + name + "'" +
                                io::did_you_mean(name, names) +
                                (names.empty() ? "" : "; allowed: " + io::quoted_list(names)));
  }
  return {policy.parameters, std::move(values)};
}

}  // namespace fluidbatch::sim
