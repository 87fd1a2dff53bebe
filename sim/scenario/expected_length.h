// How long a run is going to be, as far as that is known before it, and whether doubles can hold its dates.
#pragma once

#include <limits>
#include <optional>
#include <string>

#include "npu_model/batch_policy_table.h"
#include "sim/scenario/scenario.h"

namespace fluidbatch::sim {

/// NaN where it is not known.
struct ExpectedLength {
  double requests = std::numeric_limits<double>::quiet_NaN();
  double last_arrival_s = std::numeric_limits<double>::quiet_NaN();
};

/// From the rate, the duration, the number of requests and the length of a trace.
ExpectedLength expected_length(const Scenario& scenario);

/// What speaks against dates of up to `last_s` for latencies of `table`, or nothing: a double's last bit
/// there must not be more than a millionth of the smallest latency that a request can have.
std::optional<std::string> objection_to_dates(double last_s, const npu::BatchPolicyTable& table);

/// The same for all latencies of `system`.
std::optional<std::string> objection_to_dates(double last_s, const System& system);

/// What speaks against the date of the last arrival, as far as it is expected; or nothing.
std::optional<std::string> objection_to_expected_dates(const Scenario& scenario);

/// Refuses a run whose last arrival is expected at such a date. Throws io::InputError.
void check_expected_dates(const Scenario& scenario);

/// What speaks against the latencies of `system` themselves, or nothing: sums of longer ones run out of
/// range.
std::optional<std::string> objection_to_latencies(const System& system);

}  // namespace fluidbatch::sim
