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

void refuse_table(const scheduler::Parameter& parameter) {
  if (parameter.table) throw std::invalid_argument(parameter.name + " must be a table of decisions");
}

double value_of(const scheduler::Parameter& parameter, const std::string& word) {
  refuse_table(parameter);
  const auto place = std::find(parameter.words.begin(), parameter.words.end(), word);
  if (place != parameter.words.end()) return static_cast<double>(place - parameter.words.begin());
  throw std::invalid_argument(parameter.words.empty()
                                  ? parameter.name + " must be a number, found '" + word + "'"
                                  : "unknown " + parameter.name + " '" + word + "'" +
                                        io::did_you_mean(word, parameter.words) +
                                        "; allowed: " + io::quoted_list(parameter.words));
}

double value_of(const scheduler::Parameter& parameter, double number) {
  refuse_table(parameter);
  if (!parameter.words.empty()) {
    throw std::invalid_argument(parameter.name + " must be one of " + io::quoted_list(parameter.words));
  }
  if (parameter.flag) throw std::invalid_argument(parameter.name + " must be true or false");
  io::require_in({.min = parameter.min, .max = parameter.max}, number, parameter.name);
  if (parameter.integer && number != std::floor(number)) {
    throw std::invalid_argument(parameter.name + " must be a whole number");
  }
  return number;
}

double value_of(const scheduler::Parameter& parameter, int number) {
  return value_of(parameter, static_cast<double>(number));
}

double value_of(const scheduler::Parameter& parameter, bool flag) {
  if (!parameter.flag) throw std::invalid_argument(parameter.name + " is neither true nor false");
  return flag ? 1 : 0;
}

/// A table has no number.
double value_of(const scheduler::Parameter& parameter,
                const std::shared_ptr<const scheduler::FbeTable>& table) {
  if (!parameter.table || table == nullptr) {
    throw std::invalid_argument(parameter.name + " can't be such a table");
  }
  return 0;
}

/// `found`, or throws with the names that there are.
template <typename Info, typename Infos>
const Info& require_known(const Info* found, const char* kind, const std::string& name, const Infos& all) {
  if (found != nullptr) return *found;
  std::vector<std::string> names;
  for (const Info& info : all) names.push_back(info.name);
  throw std::invalid_argument("unknown " + std::string(kind) + " '" + name + "'" +
                              io::did_you_mean(name, names) + "; allowed: " + io::quoted_list(names));
}

}  // namespace

const scheduler::PolicyInfo& policy_called(const std::string& name) {
  return require_known(scheduler::find_policy(name), "policy", name, scheduler::all_policies());
}

const scheduler::ExitControlInfo& exit_control_called(const std::string& kind) {
  return require_known(scheduler::find_exit_control(kind), "exit control", kind,
                       scheduler::all_exit_controls());
}

const scheduler::ArbiterInfo& arbiter_called(const std::string& name) {
  return require_known(scheduler::find_arbiter(name), "arbiter", name, scheduler::all_arbiters());
}

const scheduler::RouterInfo& router_called(const std::string& name) {
  return require_known(scheduler::find_router(name), "router", name, scheduler::all_routers());
}

scheduler::ParameterValues parameter_values(const std::string& owner,
                                            const std::vector<scheduler::Parameter>& parameters,
                                            const PolicyArguments& arguments) {
  std::vector<std::string> names;
  std::vector<double> values;
  std::shared_ptr<const scheduler::FbeTable> table;
  for (const scheduler::Parameter& parameter : parameters) {
    names.push_back(parameter.name);
    const auto given = arguments.find(parameter.name);
    if (parameter.table) {
      if (given == arguments.end()) throw std::invalid_argument(owner + " needs '" + parameter.name + "'");
      if (const auto* found = std::get_if<std::shared_ptr<const scheduler::FbeTable>>(&given->second))
        table = *found;
    }
    const auto read = [&](const auto& value) { return value_of(parameter, value); };
    values.push_back(given == arguments.end() ? parameter.default_value : std::visit(read, given->second));
  }
  for (const auto& [name, value] : arguments) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    std::string message = owner;
    message += " has no parameter '" + name + "'" + io::did_you_mean(name, names);
    if (!names.empty()) message += "; allowed: " + io::quoted_list(names);
    throw std::invalid_argument(message);
  }
  return {parameters, std::move(values), std::move(table)};
}

}  // namespace fluidbatch::sim
