// The policies by name, with the parameters that each declares.
#pragma once

#include <array>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "scheduler/interface_stamp.h"
#include "scheduler/policy.h"

namespace fluidbatch::scheduler {

/// A number, or one of several words, that a policy takes from the configuration. The unit is part of its
/// name.
struct Parameter {
  std::string name;
  double default_value = 0;  ///< of words: the index of the default
  double min = 0;
  double max = 0;
  bool integer = false;
  std::string meaning;
  std::vector<std::string> words = {};  ///< not empty: one of these is given, and the value is its index
};

/// The words that a parameter takes, each with what it stands for; the first is the default.
template <typename Meaning, std::size_t N>
using Words = std::array<std::pair<const char*, Meaning>, N>;

template <typename Meaning, std::size_t N>
Parameter word_parameter(std::string name, const Words<Meaning, N>& words, std::string meaning) {
  Parameter parameter{.name = std::move(name), .max = N - 1, .integer = true, .meaning = std::move(meaning)};
  for (const auto& [word, unused] : words) parameter.words.emplace_back(word);
  return parameter;
}

/// Values of a policy's parameters, in the order of their declaration; all are present and in range.
class ParameterValues {
 public:
  ParameterValues() = default;
  ParameterValues(const std::vector<Parameter>& parameters, std::vector<double> values);

  /// Throws std::logic_error where the policy has declared no such parameter.
  [[nodiscard]] double number(std::string_view name) const;
  [[nodiscard]] int integer(std::string_view name) const { return static_cast<int>(number(name)); }
  /// What the word that was given stands for.
  template <typename Meaning, std::size_t N>
  [[nodiscard]] Meaning word(std::string_view name, const Words<Meaning, N>& words) const {
    return words.at(static_cast<std::size_t>(number(name))).second;
  }

 private:
  std::vector<std::string> names_;
  std::vector<double> values_;
};

/// What a policy may know of the run besides its parameters.
struct PolicyContext {
  /// For each early exit, of the samples that reach it the share that leaves there, as the workload says.
  std::vector<double> exit_rates;
};

struct PolicyInfo {
  std::string name;
  std::string summary;  ///< one line
  std::vector<Parameter> parameters;
  std::function<PolicyTraits(const ParameterValues&)> traits;
  std::function<std::unique_ptr<Policy>(const ParameterValues&, const PolicyContext&)> make;
  /// It takes the queue to be in order of deadlines, hence is refused where the SLO counts from sending.
  bool needs_deadlines_in_order = false;
};

/// All registered policies, by name; they stay where they are when more register.
const std::list<PolicyInfo>& all_policies();

/// The policy called `name`, or nullptr.
const PolicyInfo* find_policy(std::string_view name);

/// Throws std::logic_error where there is a policy of that name.
void add_policy(const PolicyInfo& info);

/// Registers a policy before main, or while a shared object is loaded; one static object of it in each
/// policy's .cpp. `interface` is that of the headers which the policy is compiled with.
class PolicyRegistration {
 public:
  explicit PolicyRegistration(const PolicyInfo& info, const char* interface = FLUIDBATCH_POLICY_INTERFACE);
};

/// What registers while a shared object is loaded.
struct LoadedPolicies {
  std::vector<PolicyInfo> policies;
  std::string other_interface;  ///< of a policy compiled with other headers, of which nothing else was read
};

/// Calls `load`, and keeps what registers meanwhile apart from all others. Nothing is thrown through the
/// loader of shared objects, which could not bear it.
LoadedPolicies policies_loaded_by(const std::function<void()>& load);

/// `max_batch`, the parameter that most policies share.
Parameter max_batch_parameter();

/// Traits of a policy that has this parameter, and lets a batch run to its end.
PolicyTraits traits_of_max_batch(const ParameterValues& values);

}  // namespace fluidbatch::scheduler
