// The tables of `run` of whole systems, and what is said below them.
#include "sim/cli/run_tables.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "sim/config/run_config.h"
#include "sim/output/parts.h"
#include "sim/output/text_table.h"
#include "sim/run/optimum.h"
#include "sim/run/run_notes.h"

namespace fluidbatch::sim::cli {
namespace {

using Id = StatisticId;

bool any_dropped(const std::vector<RunStatistics>& results) {
  return std::ranges::any_of(results, [](const RunStatistics& r) { return r[Id::drop_rate] > 0; });
}

/// Whether any system decides at run time where samples leave.
bool any_exit_control(const RunConfig& config) {
  return std::ranges::any_of(config.systems, [](const System& s) { return s.decides_exits(); });
}

bool any_drops_hopeless(const RunConfig& config) {
  return std::ranges::any_of(config.systems, &System::drop_hopeless);
}

std::string name_of(const System& system, const RunStatistics& statistics) {
  return system.label + (statistics.saturated ? " *" : "");
}

/// In milliseconds, with half of the interval where there is one.
std::string with_interval(double mean_s, double half_width_s) {
  return rounded(mean_s * 1000) +
         (std::isnan(half_width_s) ? "" : fmt::format(" ±{}", rounded(half_width_s * 1000, 2)));
}

/// How long requests take, and how many get no answer in time, or none.
std::string latency_table(const RunConfig& config, const std::vector<RunStatistics>& results,
                          const std::vector<double>& free_s) {
  const bool drops = any_drops_hopeless(config) || any_dropped(results);
  std::vector<std::string> head{"system", "mean ms ± 95 %", "x bound"};
  if (!free_s.empty()) head.emplace_back("x free");
  head.insert(head.end(), {"p50 ms", "p99 ms", "late %"});
  if (drops) head.emplace_back("drop %");
  TextTable table(head);
  for (std::size_t i = 0; i < results.size(); ++i) {
    const RunStatistics& r = results[i];
    std::vector<std::string> row{name_of(config.systems[i], r),
                                 with_interval(r[Id::mean_latency], r[Id::mean_latency_ci95]),
                                 rounded(r[Id::distance_to_bound], 3)};
    if (!free_s.empty()) row.push_back(rounded(distance_to_optimum(r, free_s[i]), 3));
    row.insert(row.end(), {rounded(r[Id::p50_latency] * 1000), rounded(r[Id::p99_latency] * 1000),
                           rounded(r[Id::slo_violation_rate] * 100, 3)});
    if (drops) row.push_back(rounded(r[Id::drop_rate] * 100, 3));
    table.add(row);
  }
  return table.text();
}

/// What the NPU does for it, and how long requests take with their uplink.
std::string load_table(const RunConfig& config, const std::vector<RunStatistics>& results) {
  const bool uplink = config.uplink.model != workloads::UplinkSpec::Model::none;
  std::vector<std::string> head{"system", "req/s", "busy %", "batch"};
  if (uplink) head.insert(head.end(), {"end-to-end ms ± 95 %", "its p99 ms"});
  TextTable table(head);
  for (std::size_t i = 0; i < results.size(); ++i) {
    const RunStatistics& r = results[i];
    std::vector<std::string> row{name_of(config.systems[i], r), rounded(r[Id::throughput]),
                                 rounded(r[Id::busy_fraction] * 100, 3), rounded(r[Id::mean_batch], 3)};
    if (uplink) {
      row.push_back(with_interval(r[Id::mean_end_to_end], r[Id::mean_end_to_end_ci95]));
      row.push_back(rounded(r[Id::p99_end_to_end] * 1000));
    }
    table.add(row);
  }
  return table.text();
}

/// One line on what the columns of both tables are.
std::string legend(bool bounds, bool free) {
  return std::string(bounds ? "x bound: mean over a lower bound; " : "") +
         (free ? "x free: over the optimum; " : "") + "batch: while busy\n";
}

/// What the services offer, each relative to single samples on the reference NPU, where that is above 1.
std::string remark_on_rho(const RunConfig& config, bool saturated) {
  double rho = 0;
  for (std::size_t i = 0; i < config.services.size(); ++i)
    rho += config.devices.mean_rate_hz(i) * config.services[i].reference_latency_s;
  if (!(rho > 1)) return "";  // or not known, as in a closed loop
  return fmt::format("rho {}: more than single samples without exits; {}\n", rounded(rho, 3),
                     saturated ? "those with * did not keep up" : "batches and exits save time");
}

std::string remarks_on_free(const RunConfig& config, const std::vector<RunStatistics>& results,
                            const std::vector<double>& free_s) {
  std::string text;
  if (!free_s.empty() && (any_dropped(results) ||
                          std::ranges::any_of(free_s, [](double mean_s) { return std::isnan(mean_s); }))) {
    text +=
        "x free: - where there is no optimum, it takes more than a second, or requests\n"
        "  were dropped; `fluidbatch optimum` says which\n";
  }
  for (std::size_t i = 0; i < free_s.size(); ++i) {
    if (!(distance_to_optimum(results[i], free_s[i]) < 1)) continue;
    text +=
        "x free: below 1 for " + config.systems[i].label +
        (decides_at_layers(config.systems[i]) ? ", which decides at layers; the optimum does at segments\n"
                                              : " by chance: the optimum is a mean of endless runs\n");
  }
  return text;
}

/// A system's label, with a service where there are several.
std::string label_of(const RunConfig& config, std::size_t system, std::size_t service) {
  const std::string& label = config.systems[system].label;
  return config.services.size() == 1 ? label : label + ", " + config.services[service].name;
}

/// Calls `visit(system, service, statistics)` for the services whose exits some system decides, and all
/// systems, which can be compared so.
template <typename Visit>
void for_each_decided(const RunConfig& config, const std::vector<RunStatistics>& results,
                      const Visit& visit) {
  for (std::size_t service = 0; service < config.services.size(); ++service) {
    const bool decided = std::ranges::any_of(
        config.systems, [&](const System& system) { return system.exit_controls[service].decides(); });
    for (std::size_t i = 0; decided && i < results.size(); ++i)
      visit(i, service, of_service(results[i], service));
  }
}

/// What exit controls have made of the exits; empty where there are none.
std::string exits_table(const RunConfig& config, const std::vector<RunStatistics>& results) {
  if (!any_exit_control(config)) return "";
  TextTable table({"system", "accuracy %", "mean threshold", "p5", "p95", "forced %"});
  for_each_decided(config, results, [&](std::size_t i, std::size_t service, const RunStatistics& r) {
    table.add({label_of(config, i, service), rounded(r[Id::accuracy] * 100, 4),
               rounded(r[Id::mean_threshold], 3), rounded(r[Id::p5_threshold], 3),
               rounded(r[Id::p95_threshold], 3), rounded(r[Id::forced_exit_rate] * 100, 3)});
  });
  return "\n" + table.text();
}

/// What requests take, and for what; empty where no NPU says anything of energy.
std::string energy_table(const RunConfig& config, const std::vector<RunStatistics>& results) {
  const auto has_energy = [](const RunStatistics& r) { return !std::isnan(r[Id::average_power]); };
  if (std::ranges::none_of(results, has_energy)) return "";
  TextTable table({"system", "mJ/request", "MACs %", "buffers %", "DRAM %", "static %", "mean W", "mJ s"});
  for (std::size_t i = 0; i < results.size(); ++i) {
    const RunStatistics& r = results[i];
    const auto share = [&](Id part) { return rounded(100 * r[part] / r[Id::energy_per_request], 3); };
    table.add({name_of(config.systems[i], r), rounded(r[Id::energy_per_request] * 1000),
               share(Id::mac_energy_per_request), share(Id::buffer_energy_per_request),
               share(Id::dram_energy_per_request), share(Id::static_energy_per_request),
               rounded(r[Id::average_power], 3), rounded(r[Id::energy_delay_product] * 1000, 3)});
  }
  return "\n" + table.text();
}

}  // namespace

std::string results_tables(const RunConfig& config, const std::vector<RunStatistics>& results,
                           const std::vector<double>& free_s) {
  return latency_table(config, results, free_s) + "\n" + load_table(config, results);
}

std::string further_tables(const RunConfig& config, const std::vector<RunStatistics>& results) {
  return exits_table(config, results) + energy_table(config, results);
}

std::string remarks(const RunConfig& config, const std::vector<RunStatistics>& results,
                    const std::vector<double>& free_s) {
  const auto has = [&](Id id) {
    return std::ranges::any_of(results, [id](const RunStatistics& r) { return !std::isnan(r[id]); });
  };
  const bool saturated = std::ranges::any_of(results, &RunStatistics::saturated);
  std::string text = legend(has(Id::distance_to_bound), !free_s.empty()) + remark_on_rho(config, saturated);
  if (saturated) {
    text += "* saturated: the backlog grew to the end, so these numbers depend on the length of the run\n";
  }
  if (any_dropped(results)) {
    text += "x bound: - where requests were dropped, since the bound is for answering all\n";
  }
  if (any_exit_control(config)) {
    text += "x bound: - where exits are decided at run time; it is for those drawn\n";
  }
  text += remarks_on_free(config, results, free_s);
  for_each_decided(config, results, [&](std::size_t i, std::size_t service, const RunStatistics& r) {
    const double target = config.systems[i].exit_controls[service].accuracy_target();
    if (std::isnan(target) || !misses_accuracy(r, target)) return;
    text += fmt::format("{}: missed its accuracy target of {} %: {} %\n", label_of(config, i, service),
                        rounded(target * 100, 4), rounded(r[Id::accuracy] * 100, 4));
  });
  return text;
}

}  // namespace fluidbatch::sim::cli
