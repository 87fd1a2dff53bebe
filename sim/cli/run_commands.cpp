// `run` and `check`.
#include <algorithm>
#include <filesystem>
#include <unistd.h>

#include <fmt/format.h>

#include "sim/cli/commands.h"
#include "sim/cli/exit_codes.h"
#include "sim/cli/precision_text.h"
#include "sim/cli/run_tables.h"
#include "sim/cli/shell_text.h"
#include "sim/cli/site_text.h"
#include "sim/config/overrides.h"
#include "sim/config/plugins.h"
#include "sim/config/run_config.h"
#include "sim/drive/driver_choice.h"
#include "sim/output/statistics_table.h"
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
    std::string line;
    if (config.services.size() > 1)
      line = fmt::format("service {}: {}, ", service.name, service.network.name);
    text += in_lines(line + bound_text(service), kTerminalColumns) + "\n";
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

/// A number from the command line.
double read_option(const std::string& text, const char* option, const char* what, const io::Range& range) {
  io::Node node = argument(option, text);
  node.quoted = false;
  return io::read_number(node, what, range);
}

double read_date(const std::string& text, const char* option, double otherwise) {
  if (text.empty()) return otherwise;
  return read_option(text, option, "the date", io::Range::non_negative());
}

/// What the options want of timelines, if they want any; those of its parts want one, too.
std::optional<TimelineOptions> timeline_of(const RunArguments& arguments) {
  TimelineOptions timeline{.followed = read_ranges(arguments.timeline_requests)};
  timeline.from_s = read_date(arguments.timeline_from_s, "--timeline-from", timeline.from_s);
  timeline.to_s = read_date(arguments.timeline_to_s, "--timeline-to", timeline.to_s);
  if (timeline.to_s <= timeline.from_s)
    throw io::InputError("--timeline-to: must be later than --timeline-from, which is " +
                         io::shortest(timeline.from_s) + " s");
  const bool wanted = arguments.timeline || !timeline.followed.empty() ||
                      !arguments.timeline_from_s.empty() || !arguments.timeline_to_s.empty();
  return wanted ? std::optional(std::move(timeline)) : std::nullopt;
}

RunOptions options_of(const RunArguments& arguments) {
  RunOptions options;
  options.driver = arguments.driver.value_or(Driver::simgrid);
  options.timeline = timeline_of(arguments);
  if (!arguments.series_s.empty()) {
    options.series_s = read_option(arguments.series_s, "--series", "the step", io::Range::positive());
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
  if (arguments.csv || arguments.json) {
    const NamedTable table = statistics_table(config, results);
    fmt::print("{}", arguments.json ? tables_json(arguments.command, {table}) : table.table.csv());
    return print_notes(notes_on_run(config, results));
  }
  const std::vector<double> free_s =
      config.compute_bounds ? quick_free_means_s(config) : std::vector<double>{};

  fmt::print(
      "{}\n{}{}{}", heading(config, length_text(config, results)), results_tables(config, results, free_s),
      site_tables(config, results) + further_tables(config, results), precision_table(config, results));
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
