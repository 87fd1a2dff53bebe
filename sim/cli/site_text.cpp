#include "sim/cli/site_text.h"

#include <algorithm>

#include <fmt/format.h>

#include "sim/config/run_config.h"
#include "sim/output/text_table.h"

namespace fluidbatch::sim::cli {
namespace {

using Id = StatisticId;

/// More are in summary.json.
constexpr std::size_t kMostNpus = 16;

std::string label_of(const System& system, const RunStatistics& statistics) {
  return system.label + (statistics.saturated ? " *" : "");
}

/// Against each request running alone on its NPU: of whole systems.
std::string turnaround_table(const RunConfig& config, const std::vector<RunStatistics>& results) {
  const bool several_services = config.services.size() > 1;
  std::vector<std::string> head{"system", "ANTT", "STP"};
  if (several_services) head.emplace_back("fairness");
  TextTable table(head);
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (!config.is_site(config.systems[i])) continue;
    const RunStatistics& r = results[i];
    std::vector<std::string> row{label_of(config.systems[i], r), rounded(r[Id::antt]), rounded(r[Id::stp])};
    if (several_services) row.push_back(rounded(r[Id::fairness]));
    table.add(row);
  }
  return table.text();
}

/// The systems under each service.
std::string services_table(const RunConfig& config, const std::vector<RunStatistics>& results) {
  const bool dropped = std::ranges::any_of(results, [](const auto& r) { return r[Id::drop_rate] > 0; });
  std::vector<std::string> head{"service", "mean ms", "x bound", "x alone",
                                "p99 ms",  "late %",  "req/s",   "batch"};
  if (dropped) head.emplace_back("drop %");
  TextTable table(head);
  for (std::size_t service = 0; service < config.services.size(); ++service) {
    std::vector<std::string> line(head.size());
    line.front() = config.services[service].name;
    table.add(line);
    for (std::size_t i = 0; i < results.size(); ++i) {
      const RunStatistics& r = results[i].services[service];
      std::vector<std::string> row{"  " + label_of(config.systems[i], r),
                                   rounded(r[Id::mean_latency] * 1000),
                                   rounded(r[Id::distance_to_bound], 3),
                                   rounded(r[Id::antt], 3),
                                   rounded(r[Id::p99_latency] * 1000),
                                   rounded(r[Id::slo_violation_rate] * 100, 3),
                                   rounded(r[Id::throughput]),
                                   rounded(r[Id::mean_batch], 3)};
      if (dropped) row.push_back(rounded(r[Id::drop_rate] * 100, 3));
      table.add(row);
    }
  }
  return table.text();
}

std::string npus_table(const RunConfig& config, const std::vector<RunStatistics>& results) {
  TextTable table({"system", "NPU", "", "mean ms", "late %", "req/s", "busy %", "batch"});
  std::string more;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const std::vector<RunStatistics>& npus = results[i].npus;
    for (std::size_t npu = 0; npu < std::min(npus.size(), kMostNpus); ++npu) {
      const RunStatistics& r = npus[npu];
      table.add({label_of(config.systems[i], r), std::to_string(npu), config.systems[i].npus[npu].name,
                 rounded(r[Id::mean_latency] * 1000), rounded(r[Id::slo_violation_rate] * 100, 3),
                 rounded(r[Id::throughput]), rounded(r[Id::busy_fraction] * 100, 3),
                 rounded(r[Id::mean_batch], 3)});
    }
    if (npus.size() > kMostNpus)
      more += fmt::format("{}: {} more NPUs are in its summary.json\n", config.systems[i].label,
                          npus.size() - kMostNpus);
  }
  return table.text() + more;
}

}  // namespace

std::string site_tables(const RunConfig& config, const std::vector<RunStatistics>& results) {
  const bool any_site =
      std::ranges::any_of(config.systems, [&](const System& system) { return config.is_site(system); });
  if (!any_site) return "";
  std::string text = "\n" + turnaround_table(config, results);
  if (config.services.size() > 1) text += "\n" + services_table(config, results);
  if (std::ranges::any_of(results, [](const RunStatistics& r) { return !r.npus.empty(); }))
    text += "\n" + npus_table(config, results);
  return text + (config.services.size() > 1 ? "x alone, ANTT" : "ANTT") +
         ": latency over that of the same request alone on its NPU\n";
}

}  // namespace fluidbatch::sim::cli
