// The statistics of a run, each declared once: name, unit and meaning. Tables, summary.json and
// docs/metrics.md are made from these declarations.
#pragma once

#include <cstddef>
#include <span>

namespace fluidbatch::sim {

enum class StatisticId {
  requests,
  drop_rate,
  mean_latency,
  mean_latency_ci95,
  p50_latency,
  p90_latency,
  p95_latency,
  p99_latency,
  p99_latency_ci95,
  p99_9_latency,
  p99_9_latency_ci95,
  max_latency,
  mean_end_to_end,
  mean_end_to_end_ci95,
  p50_end_to_end,
  p99_end_to_end,
  max_end_to_end,
  slo_violation_rate,
  slo_violation_rate_ci95,
  goodput,
  throughput,
  mean_uplink,
  mean_queueing,
  mean_suspended,
  mean_executing,
  busy_fraction,
  mac_utilisation,
  mean_batch,
  mean_start_batch,
  mean_in_system,
  accuracy,
  mean_threshold,
  p5_threshold,
  p95_threshold,
  forced_exit_rate,
  preemptions,
  merges,
  refused_no_gain,
  refused_slo,
  unloaded_bound,
  clairvoyant_bound,
  distance_to_bound,
  antt,
  stp,
  fairness,
  energy_per_request,
  mac_energy_per_request,
  buffer_energy_per_request,
  dram_energy_per_request,
  static_energy_per_request,
  average_power,
  energy_delay_product,
  count,
};

inline constexpr std::size_t kStatistics = static_cast<std::size_t>(StatisticId::count);

/// Which way a statistic gets better.
enum class Better { lower, higher, neither };

/// The declaration of a statistic.
struct Statistic {
  StatisticId id = StatisticId::count;
  const char* name = "";  ///< as in summary.json; the unit is its ending
  const char* unit = "";
  const char* meaning = "";
  Better better = Better::neither;
};

/// All statistics, in the order of StatisticId.
std::span<const Statistic> all_statistics();

}  // namespace fluidbatch::sim
