#include "sim/scenario/expected_length.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "workloads/io/input_error.h"
#include "workloads/io/text_number.h"

namespace fluidbatch::sim {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Latency of the request that leaves first of all, 0 where no request takes any time.
double smallest_latency_s(const npu::BatchPolicyTable& table) {
  double smallest_s = kInfinity;
  for (int batch = 1; batch <= table.max_batch(); ++batch) {
    for (int segment = 1; segment <= table.segments(); ++segment) {
      const double latency_s = table.latency_s(0, table.segment_begin(segment), batch);
      if (latency_s > 0) smallest_s = std::min(smallest_s, latency_s);
    }
  }
  return smallest_s < kInfinity ? smallest_s : 0;
}

/// Each table once, since equal NPUs share them.
std::set<const npu::BatchPolicyTable*> tables_of(const System& system) {
  std::set<const npu::BatchPolicyTable*> tables;
  for (const SystemNpu& npu : system.npus) {
    for (const auto& table : npu.tables) tables.insert(table.get());
  }
  return tables;
}

std::optional<std::string> objection_to_long_batches(const npu::BatchPolicyTable& table) {
  constexpr double kLongest_s = 1e9;  // 32 years
  for (int batch = 1; batch <= table.max_batch(); ++batch) {
    const double latency_s = table.latency_s(0, table.layers(), batch);
    if (latency_s <= kLongest_s) continue;
    return "a batch of " + std::to_string(batch) + " takes " + io::shortest(latency_s) + " s; at most " +
           io::shortest(kLongest_s) + " s is allowed. Look at the clock and the bandwidths, or at the table";
  }
  return std::nullopt;
}

}  // namespace

ExpectedLength expected_length(const Scenario& scenario) {
  ExpectedLength length;
  const double rate_hz = scenario.devices.is_steady() ? scenario.devices.mean_rate_hz() : kUnknown;
  if (const auto requests = scenario.known_requests()) {
    length.requests = static_cast<double>(*requests);
    // A trace that is read to its end has a last date; otherwise the rate tells.
    const bool whole_trace = *requests == scenario.devices.bound();
    length.last_arrival_s = whole_trace ? scenario.devices.last_arrival_s() : length.requests / rate_hz;
  } else {
    length.requests = scenario.length.duration_s * rate_hz;
    length.last_arrival_s = length.requests >= 1 ? scenario.length.duration_s : kUnknown;
  }
  return length;
}

std::optional<std::string> objection_to_dates(double last_s, const npu::BatchPolicyTable& table) {
  constexpr double kMostRelativeError = 1e-6;
  const double smallest_s = smallest_latency_s(table);
  const double last_bit_s = std::nextafter(last_s, kInfinity) - last_s;
  // A date of infinity has no last bit: NaN.
  if (smallest_s == 0 || last_bit_s <= kMostRelativeError * smallest_s) return std::nullopt;
  return "dates of up to " + io::shortest(last_s) + " s have a last bit of " + io::shortest(last_bit_s) +
         " s, more than a millionth of the smallest latency (" + io::shortest(smallest_s) +
         " s): latencies would lose their digits. Take a higher rate, or fewer requests or a shorter "
         "duration";
}

std::optional<std::string> objection_to_dates(double last_s, const System& system) {
  for (const npu::BatchPolicyTable* table : tables_of(system)) {
    if (auto objection = objection_to_dates(last_s, *table)) return objection;
  }
  return std::nullopt;
}

std::optional<std::string> objection_to_expected_dates(const Scenario& scenario) {
  const double last_s = expected_length(scenario).last_arrival_s;
  if (std::isnan(last_s)) return std::nullopt;
  for (const System& system : scenario.systems) {
    if (auto objection = objection_to_dates(last_s, system)) return objection;
  }
  return std::nullopt;
}

void check_expected_dates(const Scenario& scenario) {
  if (const auto objection = objection_to_expected_dates(scenario)) {
    throw io::InputError((scenario.until.empty() ? "requests: " : "max_requests: ") + *objection);
  }
}

std::optional<std::string> objection_to_latencies(const System& system) {
  for (const npu::BatchPolicyTable* table : tables_of(system)) {
    if (const auto objection = objection_to_long_batches(*table)) {
      return "system '" + system.label + "': " + *objection;
    }
  }
  return std::nullopt;
}

}  // namespace fluidbatch::sim
