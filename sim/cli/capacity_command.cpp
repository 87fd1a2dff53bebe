// `capacity`.
#include <string>
#include <vector>

#include <fmt/format.h>

#include "sim/child_process.h"
#include "sim/cli/commands.h"
#include "sim/config/file_kind.h"
#include "sim/config/overrides.h"
#include "sim/output/text_table.h"
#include "sim/sweep/capacity.h"
#include "workloads/io/csv.h"
#include "workloads/io/text_number.h"

namespace fluidbatch::sim::cli {

void capacity(const CapacityArguments& arguments) {
  io::Node document = io::load_yaml(arguments.run.config);
  require_kind(document, FileKind::run, arguments.run.config);
  for (const std::string& assignment : arguments.run.overrides) apply_override(document, assignment);
  CapacityOptions options;
  options.key = arguments.over.empty() ? default_capacity_key(document) : arguments.over;
  options.violation_rate = arguments.violation_rate;
  options.confidence = arguments.confidence;
  options.tolerance = arguments.tolerance;
  options.whole = arguments.whole;
  options.jobs = arguments.jobs > 0 ? arguments.jobs : processors();
  options.driver = arguments.driver;
  const std::vector<Capacity> capacities = find_capacities(document, options);
  if (arguments.csv) {
    fmt::print("system,probe,{},requests,late,holds,throughput_hz\n", io::csv_cell(options.key));
    for (const Capacity& capacity : capacities) {
      for (std::size_t i = 0; i < capacity.probes.size(); ++i) {
        const CapacityProbe& probe = capacity.probes[i];
        fmt::print("{},{},{},{},{},{},{}\n", io::csv_cell(capacity.system), i, io::shortest(probe.value),
                   probe.requests, probe.late, int{probe.holds}, io::shortest(probe.throughput_hz));
      }
    }
    return;
  }
  TextTable table({"system", options.key, "req/s", "late %", "probes"});
  bool any_open = false;
  for (const Capacity& capacity : capacities) {
    const CapacityProbe* best = nullptr;
    for (const CapacityProbe& probe : capacity.probes) {
      if (probe.holds && probe.value == capacity.value) best = &probe;
    }
    any_open = any_open || capacity.open;
    table.add(
        {capacity.system, best == nullptr ? "none" : rounded(capacity.value) + (capacity.open ? " +" : ""),
         best == nullptr ? "-" : rounded(best->throughput_hz),
         best == nullptr
             ? "-"
             : rounded(100.0 * static_cast<double>(best->late) / static_cast<double>(best->requests), 3),
         std::to_string(capacity.probes.size())});
  }
  fmt::print(
      "highest {} at which surely (confidence {})\nno more than {} % of the requests are late:\n\n{}{}",
      options.key, io::shortest(options.confidence), rounded(100 * options.violation_rate, 3), table.text(),
      any_open ? "+ even the highest that was tried holds\n" : "");
}

}  // namespace fluidbatch::sim::cli
