// What a scenario must keep, whether it is read from a file or built by a program. Each function gives what
// speaks against what it is asked about, or nothing.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "sim/scenario/scenario.h"
#include "workloads/io/range.h"

namespace fluidbatch::sim {

/// Of a run, and of its warm-up.
inline constexpr std::int64_t kMostRequests = std::int64_t{1} << 40;

/// Of a run to a precision for which nothing is said of it.
inline constexpr std::uint64_t kDefaultMaxRequests = 10'000'000;

/// What half-widths a run may go on to, relative to the statistic.
inline constexpr io::Range kRelativeHalfWidths{.min = 0, .max = 0.999, .above_min = true};

/// Of a system.
inline constexpr std::int64_t kMostNpus = 1024;

/// Of a scenario.
inline constexpr std::size_t kMostServices = 256;

/// Of a service.
inline constexpr std::int64_t kLargestPriority = 1000;
inline constexpr io::Range kWeights{.min = 1e-6, .max = 1e6};

/// Of a system.
inline constexpr io::Range kPreemptionCosts_s{.min = 0, .max = 3600};

/// Seeds have 63 bits, as YAML's whole numbers.
inline constexpr std::uint64_t kLargestSeed = std::numeric_limits<std::int64_t>::max();

/// A label names a folder, and a part of the path of --set.
std::optional<std::string> objection_to_label(const std::string& label);

/// `label` must not be that of another system.
std::optional<std::string> objection_to_second_label(const std::vector<System>& systems,
                                                     const std::string& label);

/// `name`, made as a label is, must not be that of another of `services`.
std::optional<std::string> objection_to_service_name(const std::vector<Service>& services,
                                                     const std::string& name);

/// So many services.
std::optional<std::string> objection_to_services(std::size_t services);

/// Some policies take the queue to be in order of deadlines.
std::optional<std::string> objection_to_policy(const scheduler::PolicyInfo& policy,
                                               const std::vector<Service>& services);

/// Only where an arbiter's order says who may.
std::optional<std::string> objection_to_preemptive(const scheduler::ArbiterInfo& arbiter, bool preemptive);

/// So many NPUs of one system.
std::optional<std::string> objection_to_npus(std::size_t npus);

/// Each service needs someone who sends for it.
std::optional<std::string> objection_to_devices(const Scenario& scenario);

/// Where there are several services, a list of exits of one does not end the run, hence must not be too
/// short.
std::optional<std::string> objection_to_exit_list(const Scenario& scenario, std::size_t service);

/// Fills in the decisions of `system`, whose latencies are there, where its policy acts by tables of them.
/// `scenario` has its devices and exits. Of a site no best decisions are known.
std::optional<std::string> add_decisions(System& system, const Scenario& scenario);

/// Some exit controls need recorded confidences, and an accuracy target needs rows for both halves.
std::optional<std::string> objection_to_exit_control(const ExitControlChoice& control,
                                                     const Service& service);

/// Whether any request can be late.
bool any_slo(const std::vector<Service>& services);

/// A run can reach a precision only of what has an interval, and of late requests only where some can be
/// late, as `any_slo` says.
std::optional<std::string> objection_to_target(StatisticId statistic, bool has_slo);

/// Something must be left to measure.
std::optional<std::string> objection_to_warmup(const Scenario& scenario);

}  // namespace fluidbatch::sim
