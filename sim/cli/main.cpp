// The command line. The one file that includes CLI11.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "sim/cli/command_text.h"
#include "sim/cli/commands.h"
#include "sim/cli/completion.h"
#include "sim/cli/exit_codes.h"
#include "sim/cli/shell_text.h"
#include "sim/drive/driver_names.h"
#include "sim/models/npu_search.h"
#include "sim/version.h"
#include "workloads/io/input_error.h"
#include "workloads/io/names.h"

namespace {

namespace cli = fluidbatch::sim::cli;
using fluidbatch::sim::Driver;

/// Help that fits a terminal of 80 columns.
class Help final : public CLI::Formatter {
 public:
  std::string make_option_desc(const CLI::Option* option) const override {
    return cli::in_lines(CLI::Formatter::make_option_desc(option), described_width());
  }
  std::string make_subcommand(const CLI::App* command) const override {
    std::ostringstream out;
    CLI::detail::format_help(out, command->get_display_name(true),
                             cli::in_lines(command->get_description(), described_width()), column_width_);
    return out.str();
  }
  std::string make_description(const CLI::App* command) const override {
    return cli::in_lines(command->get_description(), kColumns) + "\n";
  }

 private:
  static constexpr std::size_t kColumns = cli::kTerminalColumns;

  [[nodiscard]] std::size_t described_width() const { return kColumns - column_width_; }
};

void add_plugins(CLI::App& command, std::vector<std::string>& plugins) {
  command
      .add_option("--plugin", plugins,
                  "Shared object with policies of your own (docs/add_a_policy.md); repeatable")
      ->type_name("FILE")
      ->allow_extra_args(false);
}

/// Adds CONFIG, --set and --plugin, which commands that read a configuration share, and --seed, which is
/// short for --set seed=N.
CLI::Option* add_configuration(CLI::App& command, cli::RunArguments& arguments) {
  CLI::Option* config = command.add_option("config", arguments.config, "YAML file: what to simulate")
                            ->required()
                            ->type_name("CONFIG");
  command
      .add_option("--set", arguments.overrides,
                  "Override a key of the configuration, e.g. --set workload.arrivals.rho=0.9; repeatable")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  command
      .add_option_function<std::string>(
          "--seed", [&](const std::string& seed) { arguments.overrides.push_back("seed=" + seed); },
          "Short for --set seed=N")
      ->type_name("N");
  add_plugins(command, arguments.plugins);
  return config;
}

/// Adds --until and --max-requests, which are short for --set, to a command whose runs may go on to a
/// precision.
void add_precision(CLI::App& command, cli::RunArguments& arguments) {
  command
      .add_option_function<std::vector<std::string>>(
          "--until",
          [&](const std::vector<std::string>& targets) {
            for (const std::string& target : targets) {
              arguments.overrides.push_back(cli::override_of_target(target));
            }
          },
          "Go on until half of the 95 % interval of a statistic is at most this share of it, e.g. --until "
          "mean_latency_s:0.01, instead of a number of requests; repeatable. Short for --set until.NAME=R")
      ->type_name("NAME:R")
      ->allow_extra_args(false);
  command
      .add_option_function<std::string>(
          "--max-requests",
          [&](const std::string& most) { arguments.overrides.push_back("max_requests=" + most); },
          "With --until: the most requests; default: 10 million. Short for --set max_requests=N")
      ->type_name("N");
}

using fluidbatch::sim::kDriverNames;

void add_driver(CLI::App& command, std::optional<Driver>& driver, Driver otherwise) {
  const auto known = [](const std::string& name) {
    if (fluidbatch::io::value_of(kDriverNames, name)) return std::string();
    return fluidbatch::io::unknown_word("driver", name, fluidbatch::io::words_of(kDriverNames));
  };
  command
      .add_option_function<std::string>(
          "--driver", [&](const std::string& name) { driver = fluidbatch::io::value_of(kDriverNames, name); },
          std::string("What makes time pass: simgrid, a step of SimGrid for each step of the NPU; "
                      "simgrid_window, a step for "
                      "many; bare, a plain loop. All give the same results. Default: ") +
              fluidbatch::io::word_of(kDriverNames, otherwise))
      ->type_name("NAME")
      ->check(known);
}

/// Adds an option that names a file or a folder to write.
template <typename Path>
CLI::Option* add_output(CLI::App& command, const std::string& name, Path& path, const std::string& help) {
  const auto not_empty = [](const std::string& text) {
    return text.empty() ? std::string("must not be empty") : std::string();
  };
  return command.add_option(name, path, help)->check(not_empty);
}

/// Adds --csv and --json, which show the same table.
void add_formats(CLI::App& command, bool& csv, bool& json, const std::string& csv_help) {
  CLI::Option* option = command.add_flag("--csv", csv, csv_help);
  command.add_flag("--json", json, "The same as JSON: an object with version, command and rows")
      ->excludes(option);
}

void add_jobs(CLI::App& command, int& jobs) {
  command.add_option("--jobs", jobs, "Processes at a time; default: one for each core")
      ->type_name("N")
      ->check(CLI::Range(1, 4096));
}

/// Adds `report` to a command whose own arguments must not be required then.
CLI::App* add_report(CLI::App& command, cli::ReportArguments& arguments, const char* name, const char* type,
                     const char* what, void (*write)(const cli::ReportArguments&)) {
  CLI::App* report =
      command.add_subcommand("report", "Write one page to look at in a browser (docs/explorer.md)");
  report->add_option(name, arguments.from, what)->required()->type_name(type);
  add_output(*report, "--out", arguments.out, "HTML file to write")->required()->type_name("FILE");
  report->callback([&arguments, write] { write(arguments); });
  return report;
}

/// Whether helps have it: not those that programs call.
bool is_shown(const CLI::App* command) { return !command->get_group().empty(); }

std::vector<std::string> names_of_commands(const CLI::App& above) {
  std::vector<std::string> names;
  for (const CLI::App* command : above.get_subcommands(is_shown)) names.push_back(command->get_name());
  return names;
}

/// What is no file where a command that has others below it takes one, and reads like one of those.
std::optional<std::string> misspelt_command(const CLI::App& command) {
  const std::vector<std::string> known = names_of_commands(command);
  for (const CLI::Option* option : command.get_options()) {
    if (!option->get_positional() || option->empty()) continue;
    const std::string& word = option->results().front();
    std::error_code error;
    const bool is_file = std::filesystem::exists(word, error);
    if (!is_file && !fluidbatch::io::did_you_mean(word, known).empty()) return word;
  }
  return std::nullopt;
}

/// Throws what explain_unknown puts into words.
void require_no_misspelt_command(const CLI::App& command) {
  if (const auto word = misspelt_command(command)) throw CLI::ExtrasError({*word});
}

void add_sweep(CLI::App& app, cli::SweepArguments& arguments, cli::MergeArguments& merged,
               cli::ReportArguments& report_arguments, int& exit_code) {
  CLI::App* sweep = app.add_subcommand("sweep", "Run a configuration over axes of its keys, on all cores");
  sweep->add_option("sweep", arguments.sweep, "YAML file: base, axes, replications")->type_name("SWEEP");
  add_output(*sweep, "--out", arguments.out, "SQLite file for the results; must not exist yet")
      ->type_name("RESULTS");
  sweep->add_option("--set", arguments.overrides, "Override a key of the base; repeatable")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  add_plugins(*sweep, arguments.plugins);
  add_jobs(*sweep, arguments.jobs);
  sweep->add_flag("--resume", arguments.resume, "Go on with a file that is there: run what it lacks");
  sweep->add_option("--shard", arguments.shard, "Run only part I of N, for a cluster")->type_name("I/N");
  sweep->add_flag("--dry-run", arguments.dry_run,
                  "Check all configurations and say how many points there are");
  sweep->add_option("--limit", arguments.limit, "Run no more than K points")
      ->type_name("K")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 40));
  add_driver(*sweep, arguments.driver, Driver::simgrid_window);

  CLI::App* merge = sweep->add_subcommand("merge", "Put the results of the parts of a sweep together");
  merge->add_option("files", merged.files, "Results of the parts")->required()->type_name("RESULTS..");
  add_output(*merge, "--out", merged.out, "SQLite file to write; must not exist yet")
      ->required()
      ->type_name("ALL");
  merge->add_flag("--partial", merged.partial, "Merge even where points of the sweep are missing");
  merge->callback([&] { exit_code = cli::sweep_merge(merged); });
  const CLI::App* report =
      add_report(*sweep, report_arguments, "results", "RESULTS", "SQLite file of a sweep", cli::sweep_report);
  sweep->require_subcommand(0, 1);
  sweep->callback([&, sweep, merge, report] {
    if (merge->parsed() || report->parsed()) return;
    require_no_misspelt_command(*sweep);
    exit_code = cli::sweep(arguments);
  });
}

void add_compare(CLI::App& app, cli::CompareArguments& compared) {
  CLI::App* compare = app.add_subcommand("compare", "Systems of a sweep side by side, with intervals");
  compare->add_option("results", compared.results, "SQLite file of a sweep")
      ->required()
      ->type_name("RESULTS");
  compare
      ->add_option(
          "--by", compared.by,
          "What is compared: system (default), the key of an axis, or the parts of sites: service or npu")
      ->type_name("KEY");
  compare->add_option("--metric", compared.metrics, "Statistics to compare (metric list)")
      ->required()
      ->type_name("NAME..");
  compare->add_option("--base", compared.base, "What ratios are to; default: the first")->type_name("VALUE");
  add_formats(*compare, compared.csv, compared.json, "As CSV");
  compare->callback([&] { cli::compare(compared); });
}

void add_capacity(CLI::App& app, cli::CapacityArguments& arguments) {
  CLI::App* capacity = app.add_subcommand("capacity", "The highest load at which each system holds its SLO");
  add_configuration(*capacity, arguments.run);
  capacity
      ->add_option(
          "--over", arguments.over,
          "The rate or count to raise; default: workload.arrivals.rho, .rate_hz or .load, whichever "
          "the configuration has; services or services.NAME: all rates of a site or of a service, by a "
          "factor")
      ->type_name("KEY");
  capacity->add_flag("--whole", arguments.whole, "The key takes whole numbers, such as a count of devices");
  capacity
      ->add_option("--violation-rate", arguments.violation_rate,
                   "Share of the requests that may be late; default: 0.01, that is, p99 <= SLO")
      ->type_name("P")
      ->check(CLI::Range(1e-6, 0.5));
  capacity->add_option("--confidence", arguments.confidence, "Of the verdict on each load; default: 0.99")
      ->type_name("C")
      ->check(CLI::Range(0.5, 0.999999));
  capacity->add_option("--tolerance", arguments.tolerance, "Of the answer, relative; default: 0.01")
      ->type_name("T")
      ->check(CLI::Range(1e-6, 1.0));
  capacity
      ->add_option("--most-runs", arguments.most_runs,
                   "At each load, with other random draws, until it is sure whether it holds; default: 64")
      ->type_name("N")
      ->check(CLI::Range(1, 65536));
  capacity
      ->add_option("--seeds", arguments.seeds,
                   "Repeat the search with other random draws: an interval of the capacity; default: 1")
      ->type_name("N")
      ->check(CLI::Range(1, 10'000));
  add_jobs(*capacity, arguments.jobs);
  add_formats(*capacity, arguments.csv, arguments.json, "As CSV: every probe");
  add_driver(*capacity, arguments.run.driver, Driver::simgrid_window);
  capacity->callback([&] { cli::capacity(arguments); });
}

void add_optimum(CLI::App& app, cli::OptimumArguments& arguments) {
  CLI::App* optimum = app.add_subcommand(
      "optimum", "The least mean latency that any policy could have, computed, and each system's distance");
  add_configuration(*optimum, arguments.run);
  add_precision(*optimum, arguments.run);
  optimum->add_option("--system", arguments.system, "Only the system of this label")->type_name("LABEL");
  add_formats(*optimum, arguments.csv, arguments.json,
              "As CSV: means in seconds, with the interval of the simulated");
  add_output(*optimum, "--save", arguments.save,
             "Write the best decisions of a Fluid Batching Engine as CSV; must not exist yet")
      ->type_name("TABLE");
  optimum->add_flag("--own", arguments.own, "With --save: the decisions of the system's own policy instead")
      ->needs("--save");
  optimum->callback([&] { cli::optimum(arguments); });
}

void add_run(CLI::App& app, cli::RunArguments& arguments, cli::ReportArguments& report_arguments) {
  CLI::App* run = app.add_subcommand("run", "Simulate all systems of a configuration and compare them");
  add_configuration(*run, arguments)->required(false);  // not with `report`
  run->add_option("--point", arguments.point,
                  "Run the point of this number of a sweep again: CONFIG is its results file")
      ->type_name("N");
  add_precision(*run, arguments);
  add_output(*run, "--out", arguments.out,
             "Folder for the results; default: runs/ and the configuration's name")
      ->type_name("DIR");
  add_driver(*run, arguments.driver, Driver::simgrid);
  run->add_flag(
      "--audit", arguments.audit,
      "Ask a clone of each policy at every boundary that it wants to be passed over, and end the run "
      "where it answers otherwise");
  run->add_flag("--timeline", arguments.timeline, "Write timeline.json, which ui.perfetto.dev opens");
  run->add_option("--timeline-requests", arguments.timeline_requests, "Follow these requests in the timeline")
      ->type_name("A..B");
  run->add_option("--timeline-from", arguments.timeline_from_s, "Leave out of the timeline what ends before")
      ->type_name("SECONDS");
  run->add_option("--timeline-to", arguments.timeline_to_s, "Leave out of the timeline what begins later")
      ->type_name("SECONDS");
  run->add_option("--series", arguments.series_s,
                  "Write series.csv: queue, batch, latency, a row every DT seconds")
      ->type_name("DT");
  add_formats(*run, arguments.csv, arguments.json,
              "As CSV: all statistics, a row for each system and part of a site");
  const CLI::App* report =
      add_report(*run, report_arguments, "folder", "DIR", "Folder of a run's results", cli::run_report);
  run->require_subcommand(0, 1);
  run->callback([&, run, report] {
    if (report->parsed()) return;
    require_no_misspelt_command(*run);
    if (arguments.config.empty()) throw CLI::RequiredError(run->get_option("config")->get_name());
    cli::run(arguments);
  });

  CLI::App* check =
      app.add_subcommand("check", "Read a configuration and say what it means, without running it");
  add_configuration(*check, arguments);
  add_precision(*check, arguments);
  check->callback([&] { cli::check(arguments); });
}

void add_tail(CLI::App& app, cli::TailArguments& arguments) {
  CLI::App* tail = app.add_subcommand(
      "tail", "How rare late answers are, and far quantiles, by splitting of runs (docs/tail.md)");
  add_configuration(*tail, arguments.run);
  tail->add_option("--system", arguments.system, "Only the system of this label")->type_name("LABEL");
  tail->add_option("--precision", arguments.precision,
                   "Half-width of each 95 % interval over its estimate; default: 0.05")
      ->type_name("P")
      ->check(CLI::Range(0.001, 0.5));
  tail->add_option("--quantiles", arguments.quantiles,
                   "Of the latency, each above 0.5 and below 1; default: 0.999,0.9999,0.99999")
      ->delimiter(',')
      ->type_name("Q,..");
  tail->add_option("--max-events", arguments.max_events,
                   "Of each system, after which it ends, precise or not; default: 5e8")
      ->type_name("N");
  add_jobs(*tail, arguments.jobs);
  add_formats(*tail, arguments.csv, arguments.json,
              "As CSV: system, metric, value, low, high, events, crude_events, levels");
  tail->callback([&] { cli::tail(arguments); });
}

void add_workload(CLI::App& app, cli::RunArguments& arguments, bool& csv) {
  CLI::App* workload = app.add_subcommand("workload", "Arrivals and exits")->require_subcommand(1);
  CLI::App* describe = workload->add_subcommand(
      "describe", "Rate, burstiness, exits and load of what a configuration would send");
  add_configuration(*describe, arguments);
  describe->add_flag("--csv", csv, "As CSV: name,unit,value");
  describe->callback([&] { cli::workload_describe(arguments, csv); });
}

void add_import(CLI::App& networks, cli::NetworkImportArguments& arguments, int& exit_code) {
  CLI::App* command = networks.add_subcommand("import", "Turn an ONNX model into a network's YAML");
  command->add_option("model", arguments.model, "ONNX file, with or without weights")
      ->required()
      ->type_name("MODEL");
  add_output(*command, "--out", arguments.out, "YAML file to write; must not exist yet")
      ->required()
      ->type_name("FILE");
  command->add_option("--exits", arguments.exits, "Layers to put an early exit after")
      ->delimiter(',')
      ->type_name("after=LAYER,..");
  command->add_option("--input", arguments.input, "Size of the input, where the model leaves it open")
      ->delimiter(',')
      ->expected(2)
      ->type_name("H,W")
      ->check(CLI::Range(1, 1 << 16));
  command->callback([&] { exit_code = cli::network_import(arguments); });
}

/// Arguments of all commands: they live as long as the parser, whose callbacks refer to them.
struct Arguments {
  cli::RunArguments run;
  cli::SweepArguments sweep;
  cli::CompareArguments compare;
  cli::CapacityArguments capacity;
  cli::OptimumArguments optimum;
  cli::TailArguments tail;
  cli::MergeArguments merge;
  cli::ReportArguments report;
  int exit_code = 0;
  cli::RunArguments describe;
  cli::NetworkImportArguments import;
  cli::NpuTableArguments table;
  cli::NpuExplainArguments explain;
  cli::NpuSearchArguments search;
  cli::NpuFitArguments fit;
  std::string network;
  std::vector<std::string> plugins;  ///< of the lists of what plug-ins may bring
  std::vector<std::string> help;
  std::string shell;
  bool csv = false;
  std::string columns;
  bool markdown = false;
  std::string schema;
  std::string folder = ".";
};

/// A command with the one subcommand `list`, which takes plug-ins.
void add_listing(CLI::App& app, Arguments& arguments, const char* name, const char* what, const char* about,
                 void (*print)(const std::vector<std::string>& plugins)) {
  CLI::App* command = app.add_subcommand(name, what)->require_subcommand(1);
  CLI::App* list = command->add_subcommand("list", about);
  add_plugins(*list, arguments.plugins);
  list->callback([&arguments, print] { print(arguments.plugins); });
}

void add_policies(CLI::App& app, Arguments& arguments) {
  add_listing(app, arguments, "policy", "Scheduling policies", "Names, parameters and defaults",
              cli::policy_list);
  add_listing(app, arguments, "exit-control", "What decides exits at run time",
              "Kinds, parameters and defaults", cli::exit_control_list);
  add_listing(app, arguments, "arbiter", "Whose turn it is where several services share an NPU",
              "Names, parameters and defaults", cli::arbiter_list);
  add_listing(app, arguments, "router", "To which of several NPUs a request goes",
              "Names, parameters and defaults", cli::router_list);
}

void add_networks(CLI::App& app, Arguments& arguments) {
  CLI::App* networks = app.add_subcommand("network", "Networks")->require_subcommand(1);
  networks->add_subcommand("list", "Shipped networks")->callback([] { cli::network_list(); });
  CLI::App* show = networks->add_subcommand("show", "Layers, segments and exits of a network");
  show->add_option("name", arguments.network, "Shipped name or path of a YAML")
      ->required()
      ->type_name("NAME");
  show->add_flag("--csv", arguments.csv, "As CSV: layer,kind,groups,r,p,c,segment");
  show->callback([&] { cli::network_show(arguments.network, arguments.csv); });
  add_import(*networks, arguments.import, arguments.exit_code);
}

void add_metrics(CLI::App& app, Arguments& arguments) {
  CLI::App* metric = app.add_subcommand("metric", "Statistics of a run")->require_subcommand(1);
  CLI::App* list = metric->add_subcommand("list", "Name, unit and meaning of each");
  list->add_option("--columns", arguments.columns, "The columns of that file of a run instead")
      ->check([](const std::string& name) {
        const std::vector<std::string> tables{"requests.csv", "series.csv"};
        if (std::ranges::find(tables, name) != tables.end()) return std::string();
        return fluidbatch::io::unknown_word("file", name, tables);
      })
      ->type_name("FILE");
  list->add_flag("--markdown", arguments.markdown, "As the table of docs/metrics.md");
  list->callback([&] { cli::metric_list(arguments.columns, arguments.markdown); });
}

void add_starters(CLI::App& app, Arguments& arguments) {
  CLI::App* init = app.add_subcommand("init", "Write files to start from: a run, a sweep, models, policies");
  init->add_option("folder", arguments.folder, "Folder to write into, made where needed; default: this one")
      ->type_name("DIR");
  init->callback([&] { cli::init(arguments.folder); });
  CLI::App* schema =
      app.add_subcommand("schema", "The JSON Schema of a kind of files, for editors and checks");
  schema->add_option("kind", arguments.schema, "run, sweep, network, npu or board")
      ->required()
      ->type_name("KIND");
  add_plugins(*schema, arguments.plugins);
  schema->callback([&] { cli::schema(arguments.schema, arguments.plugins); });
}

void add_network_and_npu(CLI::App& command, std::string& network, std::string& npu) {
  command.add_option("--network", network, "Shipped name or path of a YAML")->required()->type_name("N");
  command.add_option("--npu", npu, "Shipped name or path of a YAML")->required()->type_name("NPU");
}

void add_npu_table(CLI::App& npu, cli::NpuTableArguments& arguments) {
  CLI::App* table = npu.add_subcommand("table", "Latency of each layer at each batch size");
  add_network_and_npu(*table, arguments.network, arguments.npu);
  table->add_option("--max-batch", arguments.max_batch, "Largest batch size")
      ->required()
      ->type_name("B")
      ->check(CLI::Range(1, 1024));
  table->add_option("--mode", arguments.mode, "Which batch policies may be chosen; default: r")
      ->type_name("MODE");
  add_formats(*table, arguments.csv, arguments.json, "A row per layer and batch size, with cycles and words");
  table->callback([&] { cli::npu_table(arguments); });
}

void add_npu_explain(CLI::App& npu, cli::NpuExplainArguments& arguments) {
  CLI::App* explain =
      npu.add_subcommand("explain", "Why a layer runs as it does: all batch policies compared");
  add_network_and_npu(*explain, arguments.network, arguments.npu);
  explain->add_option("--layer", arguments.layer, "Name of the layer (network show)")
      ->required()
      ->type_name("L");
  explain->add_option("--batch", arguments.batch, "Batch size")
      ->required()
      ->type_name("B")
      ->check(CLI::Range(1, 1024));
  explain->add_option("--mode", arguments.mode, "Which may be chosen; default: fluid_stacked")
      ->type_name("MODE");
  explain->add_flag("--csv", arguments.csv, "As CSV");
  explain->callback([&] { cli::npu_explain(arguments); });
}

void add_npu_search(CLI::App& npu, cli::NpuSearchArguments& arguments) {
  CLI::App* search = npu.add_subcommand("search", "The best tile sizes for a network on a board");
  search->add_option("--network", arguments.network, "Shipped name or path of a YAML")
      ->required()
      ->type_name("N");
  search->add_option("--board", arguments.board, "Shipped name or path of a YAML")
      ->required()
      ->type_name("BOARD");
  search->add_option("--batches", arguments.batches, "Batch sizes that count alike; default: 1,2,4,8")
      ->delimiter(',')
      ->type_name("B,..")
      ->check(CLI::Range(1, 1024));
  search->add_option("--mode", arguments.mode, "Which batch policies may be chosen; default: fluid_stacked")
      ->type_name("MODE");
  search->add_option("--t_r", arguments.t_r, "Row tiles to try; default: some 60 from 8 to 1024")
      ->delimiter(',')
      ->type_name("T_R,..")
      ->check(CLI::Range(1, 1 << 20));
  search->add_option("--t_p", arguments.t_p, "T_P to try; default: 4 to 96")
      ->delimiter(',')
      ->type_name("T_P,..")
      ->check(CLI::Range(1, 1 << 20));
  search->add_option("--t_c", arguments.t_c, "T_C to try; default: multiples of k_max that use most DSPs")
      ->delimiter(',')
      ->type_name("T_C,..")
      ->check(CLI::Range(1, 1 << 20));
  search->add_option("--k_max", arguments.k_max, "Largest stacking factor; default: 4")->type_name("K");
  search->add_option("--dsps-per-mac", arguments.dsps_per_mac, "Default: 1")
      ->type_name("N")
      ->check(CLI::Range(1, 64));
  search->add_option("--accumulator-bytes", arguments.accumulator_bytes, "Default: 4")
      ->type_name("N")
      ->check(CLI::Range(1, 16));
  for (const char* key : fluidbatch::sim::search_engine_keys()) {
    const bool energy = std::string_view(key) == "energy";
    search
        ->add_option_function<std::string>(
            std::string("--") + key,
            [&arguments, key](const std::string& text) { arguments.engine[key] = text; },
            energy ? "What operations take: as in an NPU's YAML, or the NPU that says it"
                   : "As in an NPU's YAML")
        ->type_name(energy ? "{..}|NPU" : "TEXT");
  }
  search
      ->add_option("--objective", arguments.objective,
                   "What is best: latency, energy or edp (energy x latency), per sample; default: latency")
      ->type_name("WORD");
  search->add_option("--top", arguments.top, "Designs to show besides the Pareto set; default: 10")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000));
  add_formats(*search, arguments.csv, arguments.json, "As CSV");
  add_output(*search, "--save", arguments.save, "Write the best design as an NPU's YAML")->type_name("FILE");
  search->callback([&] { cli::npu_search(arguments); });
}

void add_npu_fit(CLI::App& npu, cli::NpuFitArguments& arguments) {
  CLI::App* fit = npu.add_subcommand("fit", "Parameters of an NPU from measured latencies of layers");
  fit->add_option(
         "--measured", arguments.measured,
         "A row per layer: cycles or latency_s, and the shape of a convolution (docs/configuration.md)")
      ->required()
      ->type_name("CSV");
  fit->add_option("--npu", arguments.npu, "The NPU to start from: shipped name or path of a YAML")
      ->required()
      ->type_name("NPU");
  fit->add_option("--free", arguments.free, "Numeric keys of the NPU to fit; the others stay")
      ->required()
      ->delimiter(',')
      ->type_name("KEY,..");
  fit->add_option("--network", arguments.network,
                  "Rows name layers of this network, in a column 'layer', instead of shapes")
      ->type_name("N");
  fit->add_option("--hold-out", arguments.hold_out,
                  "Rows with one of these values in this column are not fitted to, but reported on")
      ->type_name("COLUMN=VALUE,..");
  fit->add_option("--hold-out-every", arguments.hold_out_every, "The same of every N-th row")
      ->type_name("N")
      ->check(CLI::Range(2, 1'000'000));
  fit->add_option("--mode", arguments.mode, "Which batch policies may be chosen; default: fluid_stacked")
      ->type_name("MODE");
  add_output(*fit, "--out", arguments.out, "Write the fitted NPU's YAML; must not exist yet")
      ->type_name("FILE");
  fit->add_flag("--csv", arguments.csv, "As CSV: measured and modelled, a row per layer");
  fit->callback([&] { cli::npu_fit(arguments); });
}

void add_npu(CLI::App& app, Arguments& arguments) {
  CLI::App* npu = app.add_subcommand("npu", "NPUs and their analytic model")->require_subcommand(1);
  npu->add_subcommand("list", "Shipped NPUs")->callback([] { cli::npu_list(); });
  add_npu_table(*npu, arguments.table);
  add_npu_explain(*npu, arguments.explain);
  add_npu_search(*npu, arguments.search);
  add_npu_fit(*npu, arguments.fit);
}

std::string value_of(const CLI::Option& option) {
  return option.get_items_expected_max() == 0 ? "" : option.get_type_name();
}

/// `command`, and all below it, as plain values.
cli::CommandText text_of(const CLI::App& command, const std::vector<std::string>& words) {
  cli::CommandText text{
      .words = words, .about = command.get_description(), .options = {}, .positionals = {}, .commands = {}};
  for (const CLI::Option* option : command.get_options()) {
    cli::OptionText its{.names = {},
                        .value = value_of(*option),
                        .about = option->get_description(),
                        .repeated = option->get_items_expected_max() > 1 && option->get_allow_extra_args()};
    for (const std::string& name : option->get_lnames()) its.names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) its.names.push_back("-" + name);
    if (option->get_positional()) its.names.push_back(option->get_name());
    (option->get_positional() ? text.positionals : text.options).push_back(its);
  }
  for (const CLI::App* below : command.get_subcommands(is_shown)) {
    std::vector<std::string> longer = words;
    longer.push_back(below->get_name());
    text.commands.push_back(text_of(*below, longer));
  }
  return text;
}

/// What is written for shells and for `man`. `complete`, which those scripts call, is not among them, since
/// its words are those of other commands (run_program).
void add_written(CLI::App& app, std::string& shell) {
  CLI::App* completion =
      app.add_subcommand("completion", "Print a script that completes commands in a shell");
  completion->add_option("shell", shell, "bash, fish or zsh")
      ->required()
      ->type_name("SHELL")
      ->check([](const std::string& name) {
        if (std::ranges::find(cli::completed_shells(), name) != cli::completed_shells().end())
          return std::string();
        return fluidbatch::io::unknown_word("shell", name, cli::completed_shells());
      });
  completion->callback([&] { fmt::print("{}", cli::completion_script(shell)); });
  CLI::App* manual = app.add_subcommand("manual", "The manual page");
  manual->group("");
  manual->callback([&] { fmt::print("{}", cli::manual_page(text_of(app, {}))); });
}

/// The innermost command that was given, and its name with those around it.
struct GivenCommand {
  const CLI::App* command = nullptr;
  std::string name;
};

GivenCommand given_command(const CLI::App& app) {
  GivenCommand given{&app, app.get_name()};
  while (!given.command->get_subcommands().empty()) {
    given.command = given.command->get_subcommands().front();
    given.name += " " + given.command->get_name();
  }
  return given;
}

/// The subcommand of that name, or nullptr.
CLI::App* subcommand_of(CLI::App& command, const std::string& name) {
  const std::vector<CLI::App*> all = command.get_subcommands(nullptr);
  const auto found = std::ranges::find_if(all, [&](CLI::App* each) { return each->get_name() == name; });
  return found == all.end() ? nullptr : *found;
}

void say_unknown_command(const CLI::App& command, const std::string& name) {
  const std::vector<std::string> known = names_of_commands(command);
  cli::note("unknown command '{}'{}; there {} {}\n", name, fluidbatch::io::did_you_mean(name, known),
            known.size() == 1 ? "is" : "are", fluidbatch::io::quoted_list(known));
}

/// `help COMMAND`; COMMAND may have several words.
void add_help(CLI::App& app, std::vector<std::string>& words, int& exit_code) {
  CLI::App* help = app.add_subcommand("help", "What a command does and takes, as its --help does");
  help->add_option("command", words, "Such as run, or npu table; without one: all commands")
      ->type_name("COMMAND ..");
  help->callback([&] {
    CLI::App* command = &app;
    std::string name = app.get_name();
    for (const std::string& word : words) {
      CLI::App* next = subcommand_of(*command, word);
      if (next == nullptr) {
        if (command->get_subcommands(nullptr).empty()) {
          cli::note("`{}` has no commands\n", name);
        } else {
          say_unknown_command(*command, word);
        }
        exit_code = cli::kUserError;
        return;
      }
      command = next;
      name += " " + word;
    }
    fmt::print("{}", app.get_formatter()->make_help(command, name, CLI::AppFormatMode::Normal));
  });
}

/// Says which option or command is not known, and what was probably meant; false where all are known. CLI11
/// says something else first: that a subcommand is missing, or what the help is.
bool explain_unknown(const CLI::App& app) {
  const GivenCommand given = given_command(app);
  const std::vector<std::string> left = app.remaining(true);
  const auto option = std::ranges::find_if(
      left, [](const std::string& word) { return word.size() > 1 && word.starts_with('-'); });
  std::vector<std::string> known;
  if (option != left.end()) {
    for (const CLI::Option* each : given.command->get_options()) {
      for (const std::string& name : each->get_lnames()) known.push_back("--" + name);
    }
    const std::string name = option->substr(0, option->find('='));
    cli::note("unknown option '{}'{}; `{} --help` lists all\n", name,
              fluidbatch::io::did_you_mean(name, known), given.name);
    return true;
  }
  if (const auto word = misspelt_command(*given.command)) {
    say_unknown_command(*given.command, *word);
    return true;
  }
  if (left.empty() || given.command->get_require_subcommand_min() == 0) return false;
  say_unknown_command(*given.command, left.front());
  return true;
}

int run_program(int argc, char** argv) {
  CLI::App app(
      "fluidbatch: a simulator of an edge inference server, many devices and one NPU that runs an "
      "early-exit network.\nWhich batching policy, on which NPU, holds which load within which latency?");
  app.name("fluidbatch");
  app.formatter(std::make_shared<Help>());
  app.set_version_flag("--version", std::string("fluidbatch ") + fluidbatch::sim::kVersion);
  app.require_subcommand(1);
  Arguments arguments;
  std::vector<const char*> words(argv, argv + argc);
  words.front() = "fluidbatch";
  for (std::string* command :
       {&arguments.run.command, &arguments.compare.command, &arguments.capacity.command,
        &arguments.optimum.command, &arguments.tail.command, &arguments.table.command,
        &arguments.search.command, &arguments.fit.command})
    *command = cli::shell_text(words);
  add_run(app, arguments.run, arguments.report);
  add_workload(app, arguments.describe, arguments.csv);
  add_sweep(app, arguments.sweep, arguments.merge, arguments.report, arguments.exit_code);
  add_compare(app, arguments.compare);
  add_capacity(app, arguments.capacity);
  add_optimum(app, arguments.optimum);
  add_tail(app, arguments.tail);
  add_policies(app, arguments);
  add_networks(app, arguments);
  add_metrics(app, arguments);
  add_npu(app, arguments);
  add_starters(app, arguments);
  add_help(app, arguments.help, arguments.exit_code);
  add_written(app, arguments.shell);
  if (argc > 1 && std::string_view(argv[1]) == "complete") {
    for (const std::string& word : cli::completions(text_of(app, {}), {argv + 2, argv + argc}))
      fmt::print("{}\n", word);
    return cli::kDone;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (explain_unknown(app)) return cli::kUserError;
    return app.exit(error) == 0 ? cli::kDone : cli::kUserError;  // 0: --help, --version
  }
  return arguments.exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  const int code = cli::exit_code_of([&] { return run_program(argc, argv); });
#ifndef __SANITIZE_ADDRESS__  // which looks for leaks at the end
  // Nothing is left to do but to destroy the static objects of ns-3, which SimGrid brings along: 1 ms.
  std::_Exit(code);
#endif
  return code;
}
