// Parameters of a policy or an exit control from a program.
#pragma once

#include <map>
#include <string>
#include <variant>
#include <vector>

#include "scheduler/registry.h"

namespace fluidbatch::sim {

/// By name; a number, a yes or no, or one of a parameter's words.
using PolicyArguments = std::map<std::string, std::variant<int, double, bool, std::string>>;

/// The policy called `name`. Throws std::invalid_argument with what was probably meant.
const scheduler::PolicyInfo& policy_called(const std::string& name);

/// The exit control called `kind`. Throws likewise.
const scheduler::ExitControlInfo& exit_control_called(const std::string& kind);

/// The values of `parameters`, those of `owner` (as messages call it): what is not given has its default.
/// Throws std::invalid_argument for one that is not declared, or a value that it may not have.
scheduler::ParameterValues parameter_values(const std::string& owner,
                                            const std::vector<scheduler::Parameter>& parameters,
                                            const PolicyArguments& arguments);

}  // namespace fluidbatch::sim
