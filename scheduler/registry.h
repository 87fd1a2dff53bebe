// The policies, exit controls, arbiters and routers by name, with the parameters that each declares.
#pragma once

#include <functional>
#include <limits>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "scheduler/arbiter.h"
#include "scheduler/exit_control.h"
#include "scheduler/interface_stamp.h"
#include "scheduler/parameters.h"
#include "scheduler/policy.h"
#include "scheduler/router.h"

namespace fluidbatch::scheduler {

/// What a policy may know of the run besides its parameters.
struct PolicyContext {
  /// For each early exit, of the samples that reach it the share that leaves there, as the workload says.
  std::vector<double> exit_rates;
  double rate_hz = std::numeric_limits<double>::quiet_NaN();  ///< mean, of the arrivals; NaN: unknown
  const npu::BatchPolicyTable* latencies = nullptr;           ///< of the system's NPU
  std::shared_ptr<const FbeTable> decisions = nullptr;        ///< as PolicyInfo::decisions has made it
};

/// What a policy declares of itself: its name, its parameters, and how it is made.
struct PolicyInfo {
  std::string name;
  std::string summary;  ///< one line
  std::vector<Parameter> parameters;
  std::function<PolicyTraits(const ParameterValues&)> traits;
  std::function<std::unique_ptr<Policy>(const ParameterValues&, const PolicyContext&)> make;
  /// It takes the queue to be in order of deadlines, hence is refused where the SLO counts from sending.
  bool needs_deadlines_in_order = false;
  /// Of a policy that acts by a table of decisions: makes it, once for each system, before the first run.
  /// Throws std::invalid_argument where these parameters and this context have none, with the reason.
  std::function<std::shared_ptr<const FbeTable>(const ParameterValues&, const PolicyContext&)> decisions = {};
};

/// All registered policies, by name; they stay where they are when more register.
const std::list<PolicyInfo>& all_policies();

/// The policy called `name`, or nullptr.
const PolicyInfo* find_policy(std::string_view name);

/// Throws std::logic_error where there is a policy of that name.
void add_policy(const PolicyInfo& info);

/// The same, in place of one of that name that came by this function too, as when the code that defines it is
/// run again. What scenarios point to stays alive, and is found no more. Throws std::logic_error where the
/// policy of that name came otherwise.
void replace_policy(const PolicyInfo& info);

/// Registers a policy before main, or while a shared object is loaded; one static object of it in each
/// policy's .cpp. `interface` is that of the headers which the policy is compiled with.
class PolicyRegistration {
 public:
  explicit PolicyRegistration(const PolicyInfo& info, const char* interface = FLUIDBATCH_POLICY_INTERFACE);
};

/// A recorded sample at one exit.
struct JudgedExit {
  double confidence = 0;
  bool correct = false;
};

/// What an exit control may know of the run besides its parameters.
struct ExitControlContext {
  std::vector<double> thresholds;  ///< the workload's, of each early exit; empty where it has none
  /// For each exit, the rows that calibrate, in their order; empty where the control has no accuracy target.
  std::vector<std::vector<JudgedExit>> calibration;
};

/// As PolicyInfo.
struct ExitControlInfo {
  std::string name;
  std::string summary;  ///< one line
  std::vector<Parameter> parameters;
  std::function<ExitControlTraits(const ParameterValues&)> traits;
  /// Empty: nothing is decided at run time, the exits are those that were drawn.
  std::function<std::unique_ptr<ExitControl>(const ParameterValues&, const ExitControlContext&)> make;
};

/// As for policies.
const std::list<ExitControlInfo>& all_exit_controls();
const ExitControlInfo* find_exit_control(std::string_view name);
void add_exit_control(const ExitControlInfo& info);
void replace_exit_control(const ExitControlInfo& info);

/// As PolicyRegistration.
class ExitControlRegistration {
 public:
  explicit ExitControlRegistration(const ExitControlInfo& info,
                                   const char* interface = FLUIDBATCH_POLICY_INTERFACE);
};

/// As PolicyInfo.
struct ArbiterInfo {
  std::string name;
  std::string summary;  ///< one line
  std::vector<Parameter> parameters;
  std::function<std::unique_ptr<Arbiter>(const ParameterValues&)> make;
  /// Its order says who may push a batch off the NPU (`preemptive`), and not only who comes next.
  bool may_preempt = false;
};

/// As for policies.
const std::list<ArbiterInfo>& all_arbiters();
const ArbiterInfo* find_arbiter(std::string_view name);
void add_arbiter(const ArbiterInfo& info);
void replace_arbiter(const ArbiterInfo& info);

/// As PolicyRegistration.
class ArbiterRegistration {
 public:
  explicit ArbiterRegistration(const ArbiterInfo& info, const char* interface = FLUIDBATCH_POLICY_INTERFACE);
};

/// As PolicyInfo.
struct RouterInfo {
  std::string name;
  std::string summary;  ///< one line
  std::vector<Parameter> parameters;
  std::function<std::unique_ptr<Router>(const ParameterValues&)> make;
};

/// As for policies.
const std::list<RouterInfo>& all_routers();
const RouterInfo* find_router(std::string_view name);
void add_router(const RouterInfo& info);
void replace_router(const RouterInfo& info);

/// As PolicyRegistration.
class RouterRegistration {
 public:
  explicit RouterRegistration(const RouterInfo& info, const char* interface = FLUIDBATCH_POLICY_INTERFACE);
};

/// What registers while a shared object is loaded.
struct LoadedPlugin {
  std::vector<PolicyInfo> policies;
  std::vector<ExitControlInfo> exit_controls;
  std::vector<ArbiterInfo> arbiters;
  std::vector<RouterInfo> routers;
  std::string other_interface;  ///< of one compiled with other headers, of which nothing else was read
};

/// Calls `load`, and keeps what registers meanwhile apart from all others. Nothing is thrown through the
/// loader of shared objects, which could not bear it.
LoadedPlugin registered_by(const std::function<void()>& load);

/// `max_batch`, the parameter that most policies share.
Parameter max_batch_parameter();

/// Traits of a policy that has this parameter, and lets a batch run to its end.
PolicyTraits traits_of_max_batch(const ParameterValues& values);

}  // namespace fluidbatch::scheduler
