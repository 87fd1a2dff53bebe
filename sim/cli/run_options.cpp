// Commands that simulate, or that read what simulations have left.
#include <cstdint>

#include "sim/cli/options.h"

namespace fluidbatch::sim::cli {
namespace {

/// Adds `report` to a command whose own arguments must not be required then.
CLI::App* add_report(CLI::App& command, ReportArguments& arguments, const char* name, const char* type,
                     const char* what, void (*write)(const ReportArguments&)) {
  CLI::App* report =
      command.add_subcommand("report", "Write one page to look at in a browser (docs/explorer.md)");
  report->add_option(name, arguments.from, what)->required()->type_name(type);
  add_output(*report, "--out", arguments.out,
             "HTML file to write; of what is there already, only such a page is replaced")
      ->required()
      ->type_name("FILE");
  report->callback([&arguments, write] { write(arguments); });
  return report;
}

/// Throws what explain_unknown puts into words.
void require_no_misspelt_command(const CLI::App& command) {
  if (const auto word = misspelt_command(command)) throw CLI::ExtrasError({*word});
}

void add_sweep(CLI::App& app, SweepArguments& arguments, MergeArguments& merged,
               ReportArguments& report_arguments, int& exit_code) {
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

void add_compare(CLI::App& app, CompareArguments& compared) {
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

void add_capacity(CLI::App& app, CapacityArguments& arguments) {
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
  add_formats(*capacity, arguments.csv, arguments.json, "As CSV: a row for every load tried",
              "As JSON: an object with version, command, capacities (the answers), and rows (as of --csv)");
  add_driver(*capacity, arguments.run.driver, Driver::simgrid_window);
  capacity->callback([&] { cli::capacity(arguments); });
}

void add_optimum(CLI::App& app, OptimumArguments& arguments) {
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

void add_run(CLI::App& app, RunArguments& arguments, ReportArguments& report_arguments) {
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

void add_tail(CLI::App& app, TailArguments& arguments) {
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

void add_workload(CLI::App& app, RunArguments& arguments, bool& csv) {
  CLI::App* workload = app.add_subcommand("workload", "Arrivals and exits")->require_subcommand(1);
  CLI::App* describe = workload->add_subcommand(
      "describe", "Rate, burstiness, exits and load of what a configuration would send");
  add_configuration(*describe, arguments);
  describe->add_flag("--csv", csv, "As CSV: name,unit,value");
  describe->callback([&] { cli::workload_describe(arguments, csv); });
}

}  // namespace

void add_simulations(CLI::App& app, Arguments& arguments) {
  add_run(app, arguments.run, arguments.report);
  add_workload(app, arguments.describe, arguments.csv);
  add_sweep(app, arguments.sweep, arguments.merge, arguments.report, arguments.exit_code);
  add_compare(app, arguments.compare);
  add_capacity(app, arguments.capacity);
  add_optimum(app, arguments.optimum);
  add_tail(app, arguments.tail);
}

}  // namespace fluidbatch::sim::cli
