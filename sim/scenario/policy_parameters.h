// Parameters of a policy, an exit control, an arbiter or a router from a program.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "scheduler/registry.h"

namespace fluidbatch::sim {

/// By name; a number, a yes or no, one of a parameter's words, or, where a configuration names a file, the
/// table of decisions in it.
using PolicyArguments =
    std::map<std::string,
             std::variant<int, double, bool, std::string, std::shared_ptr<const scheduler::FbeTable>>>;

/// The policy called `name`. Throws std::invalid_argument with what was probably meant.
const scheduler::PolicyInfo& policy_called(const std::string& name);

/// The exit control called `kind`. Throws likewise.
const scheduler::ExitControlInfo& exit_control_called(const std::string& kind);

/// Likewise an arbiter, or a router.
const scheduler::ArbiterInfo& arbiter_called(const std::string& name);
const scheduler::RouterInfo& router_called(const std::string& name);

/// The values of `parameters`, those of `owner` (as messages call it): what is not given has its default.
/// Throws std::invalid_argument for one that is not declared, or a value that it may not have.
scheduler::ParameterValues parameter_values(const std::string& owner,
                                            const std::vector<scheduler::Parameter>& parameters,
                                            const PolicyArguments& arguments);

}  // namespace fluidbatch::sim
