// `capacity`.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "sim/cli/commands.h"
#include "sim/config/file_kind.h"
#include "sim/config/overrides.h"
#include "sim/config/plugins.h"
#include "sim/config/run_config.h"
#include "sim/drive/child_process.h"
#include "sim/measure/confidence.h"
#include "sim/output/text_table.h"
#include "sim/sweep/capacity.h"
#include "sim/sweep/capacity_key.h"
#include "workloads/io/column_table.h"
#include "workloads/io/text_number.h"

namespace fluidbatch::sim::cli {
namespace {

using Verdict = CapacityProbe::Verdict;

struct ProbedService {
  const Capacity& capacity;
  std::size_t number = 0;  ///< of the probe
  const ServiceLateness& service;

  [[nodiscard]] const CapacityProbe& probe() const { return capacity.probes[number]; }
};

/// A row for each load, and for each service with an SLO where there are several services.
io::ColumnTable probe_columns(const std::vector<Capacity>& capacities, const std::string& key,
                              bool several_services) {
  std::vector<ProbedService> rows;
  for (const Capacity& capacity : capacities) {
    for (std::size_t i = 0; i < capacity.probes.size(); ++i) {
      for (const ServiceLateness& service : capacity.probes[i].services)
        rows.push_back({capacity, i, service});
    }
  }
  using Row = ProbedService;
  io::ColumnTable table;
  table.add("system", rows, [](const Row& row) { return row.capacity.system; });
  table.add("probe", rows, [](const Row& row) { return row.number; });
  table.add(key, rows, [](const Row& row) { return row.probe().value; });
  table.add("requests", rows, [](const Row& row) { return row.service.requests; });
  table.add("late", rows, [](const Row& row) { return row.service.late; });
  table.add("holds", rows, [](const Row& row) { return row.probe().verdict == Verdict::holds; });
  table.add("throughput_hz", rows, [](const Row& row) { return row.probe().throughput_hz; });
  table.add("seed", rows, [](const Row& row) { return row.capacity.seed; });
  table.add("runs", rows, [](const Row& row) { return row.probe().runs; });
  table.add("independent_requests", rows, [](const Row& row) { return row.service.independent_requests; });
  table.add("verdict", rows, [](const Row& row) { return std::string(name_of(row.probe().verdict)); });
  if (several_services) table.add("service", rows, [](const Row& row) { return row.service.service; });
  table.add("energy_per_request_j", rows, [](const Row& row) { return row.probe().energy_per_request_j; });
  table.add("average_power_w", rows, [](const Row& row) { return row.probe().average_power_w; });
  return table;
}

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

/// A row for each system, as the table for people has it, in full.
io::ColumnTable answer_columns(const std::vector<Capacity>& capacities, const CapacityOptions& options,
                               bool several_services) {
  using Row = Capacity;
  // What a system takes and does at its capacity; NaN where nothing held.
  const auto at_best = [](auto value) {
    return [value](const Row& row) { return row.best() == nullptr ? kNone : value(*row.best()); };
  };
  io::ColumnTable table;
  table.add("system", capacities, [](const Row& row) { return row.system; });
  table.add("key", capacities, [&](const Row&) { return options.key; });
  table.add("capacity", capacities, [](const Row& row) { return row.best() == nullptr ? kNone : row.value; });
  table.add("no_end", capacities, [](const Row& row) { return row.open; });
  table.add("fails_from", capacities, [](const Row& row) { return row.fails_from(); });
  table.add("confidence", capacities, [&](const Row&) { return options.confidence; });
  table.add("violation_rate", capacities, [&](const Row&) { return options.violation_rate; });
  table.add("throughput_hz", capacities, at_best([](const auto& probe) { return probe.throughput_hz; }));
  table.add("late_share", capacities, at_best([](const auto& probe) { return probe.worst().late_share(); }));
  if (several_services) {
    table.add("service", capacities, [](const Row& row) {
      return row.best() == nullptr ? std::string() : row.best()->worst().service;
    });
  }
  table.add("loads", capacities, [](const Row& row) { return row.probes.size(); });
  table.add("open_loads", capacities, [](const Row& row) { return row.open_loads(); });
  table.add("runs", capacities, [](const Row& row) { return row.runs(); });
  table.add("energy_per_request_j", capacities,
            at_best([](const auto& probe) { return probe.energy_per_request_j; }));
  table.add("average_power_w", capacities, at_best([](const auto& probe) { return probe.average_power_w; }));
  return table;
}

/// Of one system over its seeds; a seed for which nothing held counts as 0.
struct OverSeeds {
  std::string system;
  std::vector<double> values;
  std::vector<double> rates_hz;
  std::size_t open_loads = 0;
  bool no_end = false;

  [[nodiscard]] Interval value() const { return mean_interval(values); }
  [[nodiscard]] double least() const { return *std::ranges::min_element(values); }
  [[nodiscard]] double most() const { return *std::ranges::max_element(values); }
};

std::vector<OverSeeds> over_seeds(const std::vector<Capacity>& capacities, const CapacityOptions& options) {
  const auto seeds = static_cast<std::size_t>(options.seeds);
  std::vector<OverSeeds> systems;
  for (std::size_t i = 0; i < capacities.size(); ++i) {
    const Capacity& capacity = capacities[i];
    if (i % seeds == 0) systems.push_back({.system = capacity.system, .values = {}, .rates_hz = {}});
    OverSeeds& system = systems.back();
    const CapacityProbe* best = capacity.best();
    system.values.push_back(capacity.value);
    system.rates_hz.push_back(best == nullptr ? 0 : best->throughput_hz);
    system.open_loads += capacity.open_loads();
    system.no_end = system.no_end || capacity.open;
  }
  return systems;
}

io::ColumnTable answer_columns(const std::vector<OverSeeds>& systems, const CapacityOptions& options) {
  using Row = OverSeeds;
  io::ColumnTable table;
  table.add("system", systems, [](const Row& row) { return row.system; });
  table.add("key", systems, [&](const Row&) { return options.key; });
  table.add("capacity", systems, [](const Row& row) { return row.value().mean; });
  table.add("ci95", systems, [](const Row& row) { return row.value().half_width; });
  table.add("least", systems, [](const Row& row) { return row.least(); });
  table.add("most", systems, [](const Row& row) { return row.most(); });
  table.add("no_end", systems, [](const Row& row) { return row.no_end; });
  table.add("confidence", systems, [&](const Row&) { return options.confidence; });
  table.add("violation_rate", systems, [&](const Row&) { return options.violation_rate; });
  table.add("throughput_hz", systems, [](const Row& row) { return mean_interval(row.rates_hz).mean; });
  table.add("open_loads", systems, [](const Row& row) { return row.open_loads; });
  table.add("seeds", systems, [](const Row& row) { return row.values.size(); });
  return table;
}

/// What the table says below it, where it applies.
struct Notes {
  bool endless = false;
  bool unsure = false;

  void add(const Capacity& capacity) {
    endless = endless || capacity.open;
    unsure = unsure || capacity.open_loads() > 0;
  }

  void print(const CapacityOptions& options) const {
    if (endless) fmt::print("+ even the highest that was tried holds\n");
    if (unsure) {
      fmt::print(
          "some loads stayed open after {} run{} and count as not held: late requests\n"
          "come in bursts, so that these are worth few independent ones; more requests\n"
          "or --most-runs may show a higher capacity\n",
          options.most_runs, options.most_runs == 1 ? "" : "s");
    }
  }
};

void print_single(const std::vector<Capacity>& capacities, const CapacityOptions& options,
                  bool several_services, Notes& notes) {
  std::vector<std::string> head{"system", options.key, "fails from", "req/s", "late %", "loads", "runs"};
  if (several_services) head.insert(head.begin() + 5, "of");
  const bool with_energy = std::ranges::any_of(capacities, [](const Capacity& capacity) {
    return capacity.best() != nullptr && !std::isnan(capacity.best()->energy_per_request_j);
  });
  if (with_energy) head.insert(head.end(), {"mJ/req", "W"});
  TextTable table(head);
  for (const Capacity& capacity : capacities) {
    const CapacityProbe* best = capacity.best();
    const bool held = best != nullptr;
    notes.add(capacity);
    std::vector<std::string> row{capacity.system,
                                 held ? rounded(capacity.value) + (capacity.open ? " +" : "") : "none",
                                 rounded(capacity.fails_from()),
                                 held ? rounded(best->throughput_hz) : "-",
                                 held ? rounded(100 * best->worst().late_share(), 3) : "-",
                                 std::to_string(capacity.probes.size()),
                                 std::to_string(capacity.runs())};
    if (several_services) row.insert(row.begin() + 5, held ? best->worst().service : "-");
    if (with_energy) {
      row.push_back(held ? rounded(1000 * best->energy_per_request_j) : "-");
      row.push_back(held ? rounded(best->average_power_w) : "-");
    }
    table.add(row);
  }
  fmt::print("{}", table.text());
}

/// A row for each system: over its seeds.
void print_over_seeds(const std::vector<Capacity>& capacities, const CapacityOptions& options, Notes& notes) {
  TextTable table({"system", options.key, "least", "most", "req/s", "seeds"});
  for (const Capacity& capacity : capacities) notes.add(capacity);
  for (const OverSeeds& system : over_seeds(capacities, options)) {
    const Interval value = system.value();
    table.add({system.system, fmt::format("{} ±{}", rounded(value.mean), rounded(value.half_width, 2)),
               rounded(system.least()), rounded(system.most()), rounded(mean_interval(system.rates_hz).mean),
               std::to_string(options.seeds)});
  }
  fmt::print("{}mean over the seeds ± 95 %; a seed for which nothing held counts as 0\n", table.text());
}

}  // namespace

void capacity(const CapacityArguments& arguments) {
  io::Node document = load_document(arguments.run.config, FileKind::run);
  for (const std::string& assignment : arguments.run.overrides) apply_override(document, assignment);
  add_plugins(document, arguments.run.plugins);
  CapacityOptions options;
  options.key = arguments.over.empty() ? default_capacity_key(document) : arguments.over;
  options.violation_rate = arguments.violation_rate;
  options.confidence = arguments.confidence;
  options.tolerance = arguments.tolerance;
  options.whole = arguments.whole;
  options.most_runs = arguments.most_runs;
  options.seeds = arguments.seeds;
  options.jobs = arguments.jobs > 0 ? arguments.jobs : processors();
  options.driver = arguments.run.driver;
  const RunConfig config = read_run_config(document);
  print_warnings(config.warnings);
  const bool several_services = config.services.size() > 1;
  const std::vector<Capacity> capacities = find_capacities(document, options);
  if (arguments.csv || arguments.json) {
    const io::ColumnTable probes = probe_columns(capacities, options.key, several_services);
    if (arguments.csv) return fmt::print("{}", probes.csv());
    const io::ColumnTable answers = options.seeds == 1
                                        ? answer_columns(capacities, options, several_services)
                                        : answer_columns(over_seeds(capacities, options), options);
    return fmt::print("{}", tables_json(arguments.command, {{"capacities", answers}, {"rows", probes}}));
  }
  const std::string what = options.key == "services"              ? "multiple of all rates"
                           : options.key.starts_with("services.") ? "multiple of the rates of " + options.key
                                                                  : options.key;
  fmt::print(
      "highest {} that was shown, with confidence {},\nto have no more than {} % of {}requests late:\n\n",
      what, io::shortest(options.confidence), rounded(100 * options.violation_rate, 3),
      several_services ? "each service's " : "its ");
  Notes notes;
  options.seeds == 1 ? print_single(capacities, options, several_services, notes)
                     : print_over_seeds(capacities, options, notes);
  notes.print(options);
}

}  // namespace fluidbatch::sim::cli
