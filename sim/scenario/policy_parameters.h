// Parameters of a policy from a program.
#pragma once

#include <map>
#include <string>
#include <variant>

#include "scheduler/registry.h"

namespace fluidbatch::sim {

/// By name; a number, or one of a parameter's words.
using PolicyArguments = std::map<std::string, std::variant<int, double, std::string>>;

/// The policy called `name`. Throws std::invalid_argument with what was probably meant.
const scheduler::PolicyInfo& policy_called(const std::string& name);

/// The parameters of `policy`: what is not given has its default. Throws std::invalid_argument for one that
/// the policy does not have, or a value that it may not have.
scheduler::ParameterValues parameter_values(const scheduler::PolicyInfo& policy,
                                            const PolicyArguments& arguments);

}  // namespace fluidbatch::sim
