// `run` and `check`.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <unistd.h>

#include <fmt/format.h>

#include "sim/cli/commands.h"
#include "sim/cli/exit_codes.h"
#include "sim/cli/precision_text.h"
#include "sim/cli/site_text.h"
#include "sim/config/overrides.h"
#include "sim/config/plugins.h"
#include "sim/config/run_config.h"
#include "sim/drive/driver_choice.h"
#include "sim/output/parts.h"
#include "sim/output/text_table.h"
#include "sim/run/optimum.h"
#include "sim/run/output_size.h"
#include "sim/run/run.h"
#include "sim/run/run_notes.h"
#include "sim/scenario/expected_length.h"
#include "sim/sweep/point_configuration.h"
#include "workloads/io/map_reader.h"
#include "workloads/io/text_number.h"

namespace fluidbatch::sim::cli {
namespace {

namespace fs = std::filesystem;

/// Before a run.
std::string length_text(const RunConfig& config) {
  const auto known = config.known_requests();
  if (!known) return fmt::format("{} s of arrivals", rounded(config.length.duration_s, 6));
  return fmt::format("{}{} requests", config.until.empty() ? "" : "up to ", *known);
}

/// After it: how many requests there were, which systems of a closed loop need not agree in.
std::string length_text(const RunConfig& config, const std::vector<RunStatistics>& results) {
  const auto [least, most] = std::ranges::minmax_element(results, {}, &RunStatistics::admitted);
  const std::string count = least->admitted == most->admitted
                                ? fmt::format("{}", most->admitted)
                                : fmt::format("{} to {}", least->admitted, most->admitted);
  if (!config.ends_by_requests()) {
    return fmt::format("{} requests in {} s of arrivals", count, rounded(config.length.duration_s, 6));
  }
  if (most->admitted == config.length.requests) return fmt::format("{} requests", count);
  return fmt::format("{} of {} requests", count, config.length.requests);
}

std::string warmup_text(const RunConfig& config) {
  if (!config.automatic_warmup) return fmt::format("{} of them warm-up", config.warmup_requests);
  if (config.is_open()) return "as many of them warm-up as MSER-5 finds";
  return fmt::format("{} of them warm-up (MSER-5)", config.warmup_requests);
}

std::string bound_text(const Service& service) {
  return fmt::format("SLO {} ms{}; a single sample takes {} ms on the reference NPU",
                     rounded(service.slo.latency_s * 1000), service.slo.end_to_end ? " from end to end" : "",
                     rounded(service.reference_latency_s * 1000));
}

std::string heading(const RunConfig& config, const std::string& length) {
  std::string text =
      fmt::format("{}: {}, {}, seed {}\n", config.network_names(), length, warmup_text(config), config.seed);
  for (const Service& service : config.services) {
    if (config.services.size() > 1)
      text += fmt::format("service {}: {}, ", service.name, service.network.name);
    text += bound_text(service) + "\n";
  }
  return text;
}

/// Milliseconds: of each service in their order, on each NPU that has other latencies than the one before.
std::string single_samples_text(const System& system) {
  std::string text;
  std::string last;
  for (const SystemNpu& npu : system.npus) {
    std::string its;
    for (const auto& table : npu.tables) {
      its += (its.empty() ? "" : ", ") + rounded(table->single_sample_latency_s() * 1000);
    }
    if (its != last) text += (text.empty() ? "" : " + ") + its;
    last = its;
  }
  return text;
}

std::string exit_controls_text(const Scenario& scenario, const System& system) {
  std::string text;
  for (std::size_t i = 0; i < system.exit_controls.size(); ++i) {
    if (!system.exit_controls[i].decides()) continue;
    text += ", exit control " + system.exit_controls[i].info->name;
    if (scenario.services.size() > 1) text += " of " + scenario.services[i].name;
  }
  return text;
}

/// What orders services and chooses NPUs, where there are several.
std::string order_text(const System& system) {
  std::string text;
  if (system.arbiter.info != nullptr) {
    text += ", arbiter " + system.arbiter.info->name + (system.arbiter.preemptive ? ", preemptive" : "");
  }
  if (system.router.info != nullptr) text += ", router " + system.router.info->name;
  return text;
}

using Id = StatisticId;

bool any_dropped(const std::vector<RunStatistics>& results) {
  return std::ranges::any_of(results, [](const RunStatistics& r) { return r[Id::drop_rate] > 0; });
}

/// Whether any system decides at run time where samples leave.
bool any_exit_control(const RunConfig& config) {
  return std::ranges::any_of(config.systems, [](const System& s) { return s.decides_exits(); });
}

/// `free_s`: the mean of each system's optimum, or nothing where there is no theory of any.
std::string results_table(const RunConfig& config, const std::vector<RunStatistics>& results,
                          const std::vector<double>& free_s) {
  const bool uplink = config.uplink.model != workloads::UplinkSpec::Model::none;
  std::vector<std::string> head{"system", "mean ms", "x bound"};
  if (!free_s.empty()) head.emplace_back("x free");
  head.insert(head.end(), {"p50 ms", "p99 ms", "late %", "req/s", "busy %", "batch"});
  if (any_dropped(results)) head.emplace_back("dropped %");
  if (uplink) head.insert(head.end(), {"end-to-end ms", "its p99 ms"});
  TextTable table(head);
  for (std::size_t i = 0; i < results.size(); ++i) {
    const RunStatistics& r = results[i];
    std::vector<std::string> row{config.systems[i].label + (r.saturated ? " *" : ""),
                                 rounded(r[Id::mean_latency] * 1000), rounded(r[Id::distance_to_bound], 3)};
    if (!free_s.empty()) row.push_back(rounded(distance_to_optimum(r, free_s[i]), 3));
    row.insert(row.end(), {rounded(r[Id::p50_latency] * 1000), rounded(r[Id::p99_latency] * 1000),
                           rounded(r[Id::slo_violation_rate] * 100, 3), rounded(r[Id::throughput]),
                           rounded(r[Id::busy_fraction] * 100, 3), rounded(r[Id::mean_batch], 3)});
    if (any_dropped(results)) row.push_back(rounded(r[Id::drop_rate] * 100, 3));
    if (uplink) {
      row.push_back(rounded(r[Id::mean_end_to_end] * 1000));
      row.push_back(rounded(r[Id::p99_end_to_end] * 1000));
    }
    table.add(row);
  }
  return table.text();
}

std::string remarks_on_free(const RunConfig& config, const std::vector<RunStatistics>& results,
                            const std::vector<double>& free_s) {
  std::string text;
  if (!free_s.empty() && (any_dropped(results) ||
                          std::ranges::any_of(free_s, [](double mean_s) { return std::isnan(mean_s); }))) {
    text +=
        "x free: - where there is no optimum, it takes more than a second, or requests were dropped; "
        "`fluidbatch optimum` says which\n";
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
    table.add({config.systems[i].label + (r.saturated ? " *" : ""), rounded(r[Id::energy_per_request] * 1000),
               share(Id::mac_energy_per_request), share(Id::buffer_energy_per_request),
               share(Id::dram_energy_per_request), share(Id::static_energy_per_request),
               rounded(r[Id::average_power], 3), rounded(r[Id::energy_delay_product] * 1000, 3)});
  }
  return "\n" + table.text();
}

/// What the tables can't say by themselves.
std::string remarks(const RunConfig& config, const std::vector<RunStatistics>& results,
                    const std::vector<double>& free_s) {
  std::string text;
  if (std::ranges::any_of(results, [](const RunStatistics& r) { return r.saturated; })) {
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

/// One line on stderr, written over itself, where that is a terminal.
class ProgressLine {
 public:
  explicit ProgressLine(const RunConfig& config) : config_(config) {}

  void show(const std::vector<std::uint64_t>& completed) {
    const auto total = config_.is_open() ? std::nullopt : config_.known_requests();
    std::string line;
    for (std::size_t i = 0; i < completed.size(); ++i) {
      line += line.empty() ? "" : ", ";
      line += config_.systems[i].label + " ";
      line +=
          total ? fmt::format("{} %", 100 * completed[i] / *total) : fmt::format("{} requests", completed[i]);
    }
    note("\r\x1b[K{}", line);
    shown_ = true;
  }

  void clear() const {
    if (shown_) note("\r\x1b[K");
  }

 private:
  const RunConfig& config_;
  bool shown_ = false;
};

/// `5`, `0..99` or several of them joined by commas.
std::vector<RequestRange> read_ranges(const std::string& text) {
  std::vector<RequestRange> ranges;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string part = text.substr(begin, end - begin);
    const std::size_t dots = part.find("..");
    const auto first = io::parse_integer(part.substr(0, dots));
    const auto last = dots == std::string::npos ? first : io::parse_integer(part.substr(dots + 2));
    if (!first || !last || *first < 0 || *last < *first) {
      throw io::InputError("--timeline-requests: must be numbers such as 7 or 0..99, found '" + part + "'");
    }
    ranges.push_back({static_cast<std::uint64_t>(*first), static_cast<std::uint64_t>(*last)});
    begin = end + 1;
  }
  return ranges;
}

RunOptions options_of(const RunArguments& arguments) {
  RunOptions options;
  options.driver = arguments.driver.value_or(Driver::simgrid);
  options.followed = read_ranges(arguments.timeline_requests);
  options.timeline = arguments.timeline || !options.followed.empty();
  if (!arguments.series_s.empty()) {
    options.series_s =
        io::read_number(io::parse_yaml(arguments.series_s, "--series"), "--series", io::Range::positive());
  }
  options.configuration = arguments.config;
  options.named_after_configuration = !arguments.out;
  std::string name = options.configuration.stem().string();
  if (arguments.point) name += fmt::format("-point-{}", *arguments.point);
  options.folder = arguments.out ? fs::path(*arguments.out) : fs::path("runs") / name;
  return options;
}

RunConfig configuration_of(const RunArguments& arguments) {
  if (!arguments.point) return load_run_config(arguments.config, arguments.overrides, arguments.plugins);
  io::Node document = point_configuration(arguments.config, *arguments.point);
  for (const std::string& assignment : arguments.overrides) apply_override(document, assignment);
  add_plugins(document, arguments.plugins);
  return read_run_config(document);
}

}  // namespace

std::string override_of_target(const std::string& target) {
  const std::size_t colon = target.find(':');
  if (colon == 0 || colon == std::string::npos || target.find_first_of(".=") < colon) {
    throw io::InputError("--until: must be NAME:R, such as mean_latency_s:0.01; found " +
                         io::in_quotes(target));
  }
  return "until." + target.substr(0, colon) + "=" + target.substr(colon + 1);
}

void run(const RunArguments& arguments) {
  RunConfig config = configuration_of(arguments);
  config.audit = arguments.audit;
  print_warnings(config.warnings);
  RunOptions options = options_of(arguments);
  check_driver(options.driver, config.uplink);  // before a folder is made
  const bool replaces = fs::exists(*options.folder / "resolved.yaml");
  options.resolved = config.resolved;
  options.requests_csv = config.write_requests_csv;
  ProgressLine line(config);
  if (::isatty(STDERR_FILENO) == 1) {
    options.progress = [&line](const std::vector<std::uint64_t>& completed) { line.show(completed); };
  }
  const auto check_sizes = [&] {
    const std::string size = check_output_sizes(config, options);
    if (!size.empty()) note("note: {}\n", size);
  };
  if (!config.is_open()) check_sizes();
  check_expected_dates(config);
  options.settled = [&](const Scenario& settled) {
    static_cast<Scenario&>(config) = settled;
    line.clear();
    check_sizes();
  };
  const std::vector<RunStatistics> results = run_systems(config, options);
  line.clear();
  const std::vector<double> free_s =
      config.compute_bounds ? quick_free_means_s(config) : std::vector<double>{};

  fmt::print("{}\n{}{}{}", heading(config, length_text(config, results)),
             results_table(config, results, free_s),
             site_tables(config, results) + exits_table(config, results) + energy_table(config, results),
             precision_table(config, results));
  print_notes(notes_on_run(config, results));
  fmt::print("{}", remarks(config, results, free_s));
  fmt::print("\n{} {}\n", replaces ? "results, replacing those of an earlier run, in" : "results in",
             (*options.folder / "").string());
}

void check(const RunArguments& arguments) {
  const RunConfig config = load_run_config(arguments.config, arguments.overrides, arguments.plugins);
  print_warnings(config.warnings);
  check_expected_dates(config);
  fmt::print("{}{}", heading(config, length_text(config)), precision_plan(config));
  for (const System& system : config.systems) {
    fmt::print("system {}: {} on {} in mode {}, single sample {} ms{}{}\n", system.label, system.policy->name,
               system.npu_names(), system.npu_mode_names(), single_samples_text(system),
               exit_controls_text(config, system), order_text(system));
  }
  fmt::print("{}: good\n", arguments.config);
}

}  // namespace fluidbatch::sim::cli
